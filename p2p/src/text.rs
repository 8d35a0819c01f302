//! Makes text of others safe for the log, for terminals and for the contract with the beacon.

/// The most characters of a text in a log line: the length of the longest node record.
pub const MAX_LOG_TEXT: usize = 404;

/// Whether a character controls a terminal, ends a line or changes the direction of text.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes `text` a field of a log line: at most `limit` characters, control characters as spaces, `"` as `'`. The author
/// of the text can neither break the line nor forge a field.
pub fn printable(text: &str, limit: usize) -> String {
    let mut characters = text.chars();
    let mut result: String = characters
        .by_ref()
        .take(limit)
        .map(|c| match c {
            '"' => '\'',
            c if is_control(c) => ' ',
            c => c,
        })
        .collect();
    if characters.next().is_some() {
        result.push_str("...");
    }
    result
}

/// Makes `text` fit the contract: printable ASCII, at most `limit` characters. All other characters become `?`.
pub fn ascii(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_line_or_forge_a_field() {
        assert_eq!(printable("a\nb\u{1b}[31m \"c\" \u{202e}d", 100), "a b [31m 'c'  d");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(printable("abcdef", 3), "abc...");
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(ascii("abcdef", 3), "abc");
    }

    #[test]
    fn the_contract_gets_ascii_alone() {
        assert_eq!(ascii("ream/é\n0.1", 64), "ream/??0.1");
    }
}
