//! Options of the program that may also stand in a YAML file or in the environment, under the same names, as those of
//! the other programs of the node (docs/configuration.md):
//!
//! - `--node-key node.key` on the command line, which comes before
//! - `LEAN_P2P_NODE_KEY=node.key` in the environment, which comes before
//! - `node-key: node.key` in the file of `--config` or `LEAN_P2P_CONFIG`.
//!
//! What file and environment contain becomes arguments, so all rules for options hold for it as well.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fmt::Write as _,
    path::Path,
};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};

use crate::{
    text,
    yaml::{self, Content, Node},
};

const PREFIX: &str = "LEAN_P2P_";
const CONFIG: &str = "config";
/// Names are compared up to this length, and texts of others are shown up to it.
const MAX_NAME: usize = 64;

/// Where each setting of the file and of the environment comes from, by its name.
pub type Origins = BTreeMap<String, String>;

/// A setting of the file or of the environment.
struct Setting {
    values: Vec<String>,
    origin: String,
}

/// The options of `command` that are settings.
fn settings(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
}

fn name_of(arg: &Arg) -> &str {
    arg.get_long().unwrap_or_default()
}

fn find<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    settings(command).find(|arg| name_of(arg) == name)
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue)
}

/// The name of the variable of a setting.
pub fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// ` (did you mean NAME?)` with the most similar one of `known`; empty if none is similar.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let name: String = name.chars().take(MAX_NAME).collect();
    let most = (name.len() / 4).max(2);
    let nearest = known.map(|known| (strsim::levenshtein(&name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= most && distance < known.len() => format!(" (did you mean {known}?)"),
        _ => String::new(),
    }
}

/// Inserts what file and environment contain into the arguments after the first one, the program, except what the arguments
/// set themselves. The error names the place of a setting that is unknown or has no value.
pub fn complete(
    command: &Command,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> Result<(Vec<OsString>, Origins), String> {
    let given = names_in(arguments);
    let (mut found, file) = (BTreeMap::new(), file_of(arguments, environment)?);
    if let Some(file) = file {
        read_file(&file, command, &mut found)?;
    }
    read_environment(environment, command, &mut found)?;
    let mut completed = arguments.to_vec();
    let mut origins = Origins::new();
    let mut inserted = vec![];
    for (name, setting) in found {
        let Some(arg) = find(command, &name).filter(|_| !given.contains(&name)) else { continue };
        let options = arguments_of(arg, &setting.values).map_err(|why| format!("{}: {name}: {why}", setting.origin))?;
        inserted.extend(options);
        origins.insert(name, setting.origin);
    }
    let place = completed.len().min(1);
    completed.splice(place..place, inserted);
    Ok((completed, origins))
}

/// The names of the options in these arguments.
fn names_in(arguments: &[OsString]) -> BTreeSet<String> {
    let names = arguments.iter().filter_map(|argument| argument.to_str()?.strip_prefix("--"));
    names.map(|option| option.split('=').next().unwrap_or_default().to_owned()).collect()
}

/// The file of settings; None: there is none.
pub fn file_of(arguments: &[OsString], environment: &[(OsString, OsString)]) -> Result<Option<OsString>, String> {
    let option = format!("--{CONFIG}");
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument.as_os_str() == OsStr::new(&option) {
            return Ok(rest.next().cloned());
        }
        if let Some(file) = argument.to_str().and_then(|text| text.strip_prefix(&option)?.strip_prefix('=')) {
            return Ok(Some(file.into()));
        }
    }
    let variable = variable_of(CONFIG);
    match environment.iter().find(|(name, _)| name.as_os_str() == OsStr::new(&variable)) {
        Some((_, value)) if value.is_empty() => Err(format!("the environment has an empty {variable}")),
        Some((_, value)) => Ok(Some(value.clone())),
        None => Ok(None),
    }
}

fn read_environment(
    environment: &[(OsString, OsString)],
    command: &Command,
    found: &mut BTreeMap<String, Setting>,
) -> Result<(), String> {
    for (variable, value) in environment {
        let Some(variable) = variable.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let known = settings(command).find(|arg| variable_of(name_of(arg)) == variable).map(name_of);
        let Some(name) = known else {
            let all: Vec<String> = settings(command).map(|arg| variable_of(name_of(arg))).collect();
            let hint = did_you_mean(variable, all.iter().map(String::as_str));
            let variable = text::printable(variable, MAX_NAME);
            return Err(format!("the environment has {variable}, which is no setting{hint}"));
        };
        if name == CONFIG {
            continue;
        }
        let value = value.to_str().ok_or_else(|| format!("the environment has {variable}, which is not UTF-8"))?;
        let origin = format!("the environment ({variable})");
        found.insert(name.to_owned(), Setting { values: vec![value.to_owned()], origin });
    }
    Ok(())
}

fn read_file(path: &OsStr, command: &Command, found: &mut BTreeMap<String, Setting>) -> Result<(), String> {
    let path = Path::new(path);
    let at = |line: usize, what: &str| format!("{}:{line}: {what}", path.display());
    let fields = match yaml::read(path)? {
        None => return Ok(()),
        Some(Node { content: Content::Map(fields), .. }) => fields,
        Some(Node { line, .. }) => return Err(at(line, "expected `name: value`")),
    };
    for (name, node) in fields {
        if name == CONFIG {
            return Err(at(node.line, "config: a file names no other file"));
        }
        let shown = text::printable(&name, MAX_NAME);
        if find(command, &name).is_none() {
            let hint = did_you_mean(&name, settings(command).map(name_of));
            return Err(at(node.line, &format!("{shown}: unknown setting{hint}")));
        }
        let origin = format!("{}:{}", path.display(), node.line);
        let values =
            values_in(node).map_err(|line| at(line, &format!("{shown}: expected a value or a list of them")))?;
        if let Some(earlier) = found.insert(name, Setting { values, origin: origin.clone() }) {
            return Err(format!("{origin}: {shown}: it is in {} already", earlier.origin));
        }
    }
    Ok(())
}

/// A scalar, or a list of scalars. The error is the line of something else.
fn values_in(node: Node) -> Result<Vec<String>, usize> {
    match node.content {
        Content::Scalar(value) => Ok(vec![value]),
        Content::List(items) => items
            .into_iter()
            .map(|item| match item.content {
                Content::Scalar(value) => Ok(value),
                _ => Err(item.line),
            })
            .collect(),
        Content::Map(_) => Err(node.line),
    }
}

/// The options that set `arg` to these values, or what is wrong with them.
fn arguments_of(arg: &Arg, values: &[String]) -> Result<Vec<OsString>, String> {
    if values.len() > 1 && !matches!(arg.get_action(), ArgAction::Append) {
        return Err("takes one value, not a list".into());
    }
    let option = format!("--{}", name_of(arg));
    if is_flag(arg) {
        return match values.first().map(String::as_str) {
            Some("true") => Ok(vec![option.into()]),
            Some("false") => Ok(vec![]),
            _ => Err("is a flag: expected true or false".into()),
        };
    }
    if values.is_empty() || values.iter().any(|value| value.trim().is_empty() || value == "~") {
        return Err("has no value: give one, or leave the setting out".into());
    }
    Ok(values.iter().map(|value| format!("{option}={value}").into()).collect())
}

/// For an error about completed arguments: where the options that it names come from, if not from the command line.
pub fn origins_in(error: &str, origins: &Origins) -> String {
    let is_named = |name: &str| {
        error.match_indices(&format!("--{name}")).any(|(place, option)| {
            let after = error.get(place + option.len()..).and_then(|rest| rest.chars().next());
            !after.is_some_and(|next| next == '-' || next.is_ascii_alphanumeric())
        })
    };
    let named = origins.iter().filter(|(name, _)| is_named(name));
    named.map(|(name, origin)| format!("; --{name} is in {origin}")).collect()
}

/// The effective settings as a YAML file, each with its origin as a comment.
pub fn print(command: &Command, matches: &ArgMatches, origins: &Origins) -> String {
    let mut out = String::new();
    for arg in settings(command).filter(|arg| name_of(arg) != CONFIG) {
        let name = name_of(arg);
        let values = values_of(arg, matches);
        let (setting, origin) = match values.as_slice() {
            [] => (format!("# {name}:"), "not set"),
            [value] => (format!("{name}: {value}"), origin_of(arg, matches, origins)),
            several => (format!("{name}: [{}]", several.join(", ")), origin_of(arg, matches, origins)),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{setting:<47} # {origin}");
    }
    out
}

fn values_of(arg: &Arg, matches: &ArgMatches) -> Vec<String> {
    let id = arg.get_id().as_str();
    if is_flag(arg) {
        return vec![matches.get_flag(id).to_string()];
    }
    matches.get_raw(id).into_iter().flatten().map(|value| quoted(&value.to_string_lossy())).collect()
}

fn origin_of<'a>(arg: &Arg, matches: &ArgMatches, origins: &'a Origins) -> &'a str {
    match origins.get(name_of(arg)) {
        Some(origin) => origin,
        None if matches.value_source(arg.get_id().as_str()) == Some(ValueSource::DefaultValue) => "default",
        None => "an option",
    }
}

/// A text as a scalar of YAML.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:-+@".contains(c);
    let begins_plain = value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    if begins_plain && !value.ends_with(':') && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_is_suggested() {
        let known = ["listen", "listen-tcp", "node-key"];
        assert_eq!(did_you_mean("lisen", known.into_iter()), " (did you mean listen?)");
        assert_eq!(did_you_mean("nodekey", known.into_iter()), " (did you mean node-key?)");
        assert_eq!(did_you_mean("colour", known.into_iter()), "");
    }

    #[test]
    fn origins_are_of_whole_names() {
        let origins = Origins::from([("listen".into(), "p2p.yaml:3".into()), ("peer".into(), "p2p.yaml:4".into())]);
        assert_eq!(origins_in("invalid value for '--listen <IP:PORT>'", &origins), "; --listen is in p2p.yaml:3");
        assert_eq!(origins_in("invalid value for '--listen-tcp <IP:PORT>'", &origins), "");
    }

    #[test]
    fn values_are_quoted_where_yaml_needs_it() {
        assert_eq!(quoted("/ip4/10.0.0.1/udp/9000"), "/ip4/10.0.0.1/udp/9000");
        assert_eq!(quoted("a \"b\" #c"), "\"a \\\"b\\\" #c\"");
        assert_eq!(quoted("-x"), "\"-x\"");
    }
}
