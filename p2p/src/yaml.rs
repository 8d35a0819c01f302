//! YAML files: lists, mappings and texts, with the line of each. Anchors and further documents are refused.

use std::{fmt, fs, io::Read as _, path::Path};

use saphyr_parser::{Event, Parser, Span};

/// The largest file in bytes.
const MAX_FILE: u64 = 1 << 20;
/// A list in a mapping in a mapping is the most that any file has.
const MAX_DEPTH: usize = 4;

/// A value and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line in which it begins, counted from 1.
    pub line: usize,
    /// What it is.
    pub content: Content,
}

/// The content of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text, number or other scalar, as it is written.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Names and values, in order. A name may be there twice.
    Map(Vec<(String, Node)>),
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

/// Reads a file. None: it has no content. The error begins with the path.
pub fn read(path: &Path) -> Result<Option<Node>, String> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(format!("{}: it has more than {MAX_FILE} bytes", path.display()));
    }
    parse(&text).map_err(|error| format!("{}:{error}", path.display()))
}

/// Parses the content of a file.
pub fn parse(text: &str) -> Result<Option<Node>, Error> {
    let mut reader = Reader { parser: Parser::new_from_str(text), lines: text.lines().count().max(1) };
    let mut root = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(root),
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
            (_, span) if root.is_some() => return Err(error(&span, "the file has a second document")),
            (Event::Scalar(text, ..), _) if text.is_empty() || text == "~" => {}
            first => root = Some(reader.node(first, 0)?),
        }
    }
}

fn error(span: &Span, what: &str) -> Error {
    Error { line: span.start.line(), what: what.into() }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    lines: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                // The parser may name the line after the last one, because it reads ahead.
                let line = error.marker().line().min(self.lines);
                Err(Error { line, what: format!("not YAML: {}", error.info()) })
            }
            None => Err(Error { line: 1, what: "not YAML: the text ends too early".into() }),
        }
    }

    /// The value that begins with this event.
    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Node, Error> {
        if depth == MAX_DEPTH {
            return Err(error(&span, "lists and mappings are nested too deeply"));
        }
        let content = match event {
            Event::Scalar(text, ..) => Content::Scalar(text.into_owned()),
            Event::SequenceStart(..) => {
                let mut items = vec![];
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Content::List(items),
                        item => items.push(self.node(item, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut fields = vec![];
                loop {
                    match self.next()? {
                        (Event::MappingEnd, _) => break Content::Map(fields),
                        (Event::Scalar(name, ..), place) => {
                            let value = self.next()?;
                            let node = Node { line: place.start.line(), ..self.node(value, depth + 1)? };
                            fields.push((name.into_owned(), node));
                        }
                        (_, place) => return Err(error(&place, "the name of a field is no text")),
                    }
                }
            }
            _ => return Err(error(&span, "anchors are not allowed")),
        };
        Ok(Node { line: span.start.line(), content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(line: usize, text: &str) -> Node {
        Node { line, content: Content::Scalar(text.into()) }
    }

    #[test]
    fn lists_mappings_and_texts_have_their_lines() {
        let text = "# the node\n---\nnode-key: \"a b\"\n\npeer: [x, 'y']\nlisten:\n  - 1.2.3.4:5 # ours\n";
        let list = |line, items: Vec<Node>| Node { line, content: Content::List(items) };
        let fields = vec![
            ("node-key".into(), scalar(3, "a b")),
            ("peer".into(), list(5, vec![scalar(5, "x"), scalar(5, "y")])),
            ("listen".into(), list(6, vec![scalar(7, "1.2.3.4:5")])),
        ];
        assert_eq!(parse(text).unwrap(), Some(Node { line: 3, content: Content::Map(fields) }));
        assert_eq!(parse("- a\n- b\n").unwrap(), Some(list(1, vec![scalar(1, "a"), scalar(2, "b")])));
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("# nothing\n").unwrap(), None);
    }

    #[test]
    fn what_no_file_needs_is_refused_with_its_line() {
        let deep = "[".repeat(MAX_DEPTH + 1);
        for (text, line, what) in [
            ("a: 1\n---\nb: 2\n", 3, "second document"),
            ("a: 1\n[x]: 2\n", 2, "no text"),
            ("a: &x 1\nb: *x\n", 2, "anchors"),
            (deep.as_str(), 1, "too deeply"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.line == line && error.what.contains(what), "{text:?}: {error}");
        }
        for text in ["a: [1\n", "a: 1\n b: 2\n", "\"a\n", "- a\nb\n"] {
            assert!(parse(text).unwrap_err().what.starts_with("not YAML: "), "{text:?}");
        }
    }
}
