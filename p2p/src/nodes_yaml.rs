//! The file `nodes.yaml` of lean-quickstart: a YAML list of ENRs.

use std::path::Path;

use crate::{
    enr::Enr,
    yaml::{self, Content, Node},
};

/// Reads the file.
pub fn read(path: &Path) -> Result<Vec<Enr>, String> {
    nodes_of(yaml::read(path)?).map_err(|error| format!("{}:{error}", path.display()))
}

/// Parses the content of the file.
pub fn parse(text: &str) -> Result<Vec<Enr>, yaml::Error> {
    nodes_of(yaml::parse(text)?)
}

fn nodes_of(root: Option<Node>) -> Result<Vec<Enr>, yaml::Error> {
    let no_list = |line| yaml::Error { line, what: "it is no list of records (- enr:...)".into() };
    let items = match root {
        None => return Ok(vec![]),
        Some(Node { content: Content::List(items), .. }) => items,
        Some(Node { line, .. }) => return Err(no_list(line)),
    };
    items
        .into_iter()
        .map(|item| match item.content {
            Content::Scalar(text) => Enr::parse(&text).map_err(|what| yaml::Error { line: item.line, what }),
            _ => Err(no_list(item.line)),
        })
        .collect()
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
        let line = |text: &str| parse(text).unwrap_err().line;
        assert_eq!(line(&format!("- {good}\nenr:xyz\n")), 2);
        assert_eq!(line(&format!("- {good}\n- enr:xyz\n")), 2);
        assert_eq!(line(&format!("nodes:\n- {good}\n")), 1);
        assert_eq!(line(&format!("- {good}\n- [{good}]\n")), 2);
    }
}
