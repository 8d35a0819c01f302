//! The file `nodes.yaml` of lean-quickstart: a YAML list with one ENR a line.

use std::{fs, io::Read, path::Path};

use crate::enr::Enr;

/// The largest file in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Reads the file.
pub fn read(path: &Path) -> Result<Vec<Enr>, String> {
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_string(&mut text))
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Parses the content of the file.
pub fn parse(text: &str) -> Result<Vec<Enr>, String> {
    let mut nodes = vec![];
    for (number, line) in text.lines().enumerate() {
        let line = line.split_once(" #").map_or(line, |(before, _)| before).trim();
        if line.is_empty() || line.starts_with('#') || line == "---" || line == "[]" {
            continue;
        }
        let at = |why: &str| format!("line {}: {why}", number + 1);
        let item = line.strip_prefix("- ").ok_or_else(|| at("it is not a list item (- enr:...)"))?.trim();
        let unquoted = ['"', '\''].iter().find_map(|quote| item.strip_prefix(*quote)?.strip_suffix(*quote));
        nodes.push(Enr::parse(unquoted.unwrap_or(item)).map_err(|error| at(&error))?);
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enr::Ports;

    fn enr(port: u16) -> Enr {
        let key = libp2p::identity::Keypair::generate_secp256k1();
        Enr::make(&key, [127, 0, 0, 1].into(), Ports { quic: Some(port), ..Ports::default() }, 1).unwrap()
    }

    #[test]
    fn a_list_of_records() {
        let (a, b, c) = (enr(1), enr(2), enr(3));
        let text = format!("# nodes\n---\n- {a}\n\n- \"{b}\" # the second\n- '{c}'\n");
        assert_eq!(parse(&text).unwrap(), [a, b, c]);
        assert_eq!(parse("[]\n").unwrap(), []);
    }

    #[test]
    fn an_error_names_its_line() {
        let good = enr(1);
        assert!(parse(&format!("- {good}\nenr:xyz\n")).unwrap_err().starts_with("line 2: it is not a list item"));
        assert!(parse(&format!("- {good}\n- enr:xyz\n")).unwrap_err().starts_with("line 2: "));
    }
}
