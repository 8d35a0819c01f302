//! The log: one line for each event on standard error, in the forms of the beacon's log: `time level event key=value`,
//! the same with columns and colours, or JSON.
//!
//! Logging never blocks: a bounded queue feeds a thread that writes. If others can repeat the cause of a line, only the
//! first line is written; further ones are counted, and the count is logged once a minute.

mod levels;
mod limit;

use std::{
    fmt::{Display, Write as _},
    io::{IsTerminal as _, Write as _},
    sync::{
        Arc, Condvar, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;

pub use self::levels::{Level, Levels, Part};
use self::limit::LineLimit;
use crate::text;

/// What an operator chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text, with columns and colours on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `2026-11-24T21:50:57.123Z info    peer_connected peer=7`
    Text,
    /// The same with columns and colours.
    Terminal,
    /// `{"time":"2026-11-24T21:50:57.123Z","level":"info","event":"peer_connected","peer":"7"}`: all values are strings.
    Json,
}

/// The column at which the fields begin on a terminal, counted from the event.
const EVENT_COLUMN: usize = 24;

/// A field of a line: name and value.
pub type Field<'a> = (&'a str, &'a dyn Display);

/// The most lines that wait to be written.
const MAX_LINES: usize = 8192;

/// The log of the process.
pub struct Log {
    levels: RwLock<Levels>,
    form: Form,
    lines: SyncSender<String>,
    waiting: Arc<Waiting>,
    dropped: AtomicU64,
    limit: Mutex<LineLimit>,
}

/// The number of lines that wait to be written.
#[derive(Default)]
struct Waiting {
    lines: Mutex<usize>,
    written: Condvar,
}

impl Waiting {
    fn lines(&self) -> std::sync::MutexGuard<'_, usize> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Writes to standard error.
    pub fn to_stderr(levels: Levels, format: Format) -> std::io::Result<Self> {
        let form = match format {
            Format::Json => Form::Json,
            Format::Text if std::io::stderr().is_terminal() => Form::Terminal,
            Format::Text => Form::Text,
        };
        Self::to(levels, form, |line| std::io::stderr().write_all(line.as_bytes()).is_ok())
    }

    /// Writes each line with `write`, on a separate thread, until `write` returns false.
    pub fn to(levels: Levels, form: Form, write: impl Fn(&str) -> bool + Send + 'static) -> std::io::Result<Self> {
        let (lines, queue) = sync_channel::<String>(MAX_LINES);
        let waiting = Arc::new(Waiting::default());
        let of_writer = waiting.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || {
            while let Ok(line) = queue.recv() {
                if !write(&line) {
                    return;
                }
                *of_writer.lines() -= 1;
                of_writer.written.notify_all();
            }
        })?;
        let levels = RwLock::new(levels);
        Ok(Self { levels, form, lines, waiting, dropped: AtomicU64::new(0), limit: Mutex::new(LineLimit::default()) })
    }

    /// Changes the levels from now on.
    pub fn set_levels(&self, levels: Levels) {
        *self.levels.write().unwrap_or_else(PoisonError::into_inner) = levels;
    }

    /// The log of a part, which has the part's level. JSON lines name the part.
    pub fn of(&self, part: Part) -> PartLog<'_> {
        PartLog { log: self, part: Some(part) }
    }

    /// What concerns the whole program.
    fn general(&self) -> PartLog<'_> {
        PartLog { log: self, part: None }
    }

    fn has_level(&self, part: Option<Part>, level: Level) -> bool {
        self.levels.read().unwrap_or_else(PoisonError::into_inner).has(part, level)
    }

    /// Waits until everything is written, but not longer than `limit`.
    pub fn flush(&self, limit: Duration) {
        let _ = self.waiting.written.wait_timeout_while(self.waiting.lines(), limit, |lines| *lines > 0);
    }

    /// Returns whether there was room for the line.
    fn enqueue(&self, line: String) -> bool {
        let mut lines = self.waiting.lines();
        let taken = self.lines.try_send(line).is_ok();
        *lines += usize::from(taken);
        taken
    }

    fn write(&self, part: Option<Part>, level: Level, event: &str, fields: &[Field]) {
        if !self.has_level(part, level) {
            return;
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let note = line(self.form, None, Level::Warn, "log_dropped", &[("lines", &dropped)]);
            if !self.enqueue(note) {
                self.dropped.fetch_add(dropped, Ordering::Relaxed);
            }
        }
        if !self.enqueue(line(self.form, part, level, event, fields)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Normal events of the whole program.
    pub fn info(&self, event: &str, fields: &[Field]) {
        self.general().info(event, fields);
    }

    /// Events of the whole program that an operator should look at.
    pub fn warn(&self, event: &str, fields: &[Field]) {
        self.general().warn(event, fields);
    }

    /// Failures that stop the engine from working.
    pub fn error(&self, event: &str, fields: &[Field]) {
        self.general().error(event, fields);
    }

    /// Logs a warning about the whole program whose cause others can repeat.
    pub fn warn_limited(&self, event: &'static str, fields: &[Field]) {
        self.general().warn_limited(event, fields);
    }

    /// Logs how many lines were left out, for each cause whose minute is over. Called regularly.
    pub fn tell_left_out(&self) {
        let left_out = self.limit.lock().unwrap_or_else(PoisonError::into_inner).take_left_out(Instant::now());
        for (cause, lines) in left_out {
            let seconds = LineLimit::PERIOD.as_secs();
            self.warn("lines_left_out", &[("cause", &cause), ("lines", &lines), ("seconds", &seconds)]);
        }
    }
}

/// The log of a part of the program.
#[derive(Clone, Copy)]
pub struct PartLog<'a> {
    log: &'a Log,
    part: Option<Part>,
}

impl PartLog<'_> {
    /// Logs a detail for developers. Values are not formatted unless the line is written.
    pub fn debug(&self, event: &str, fields: &[Field]) {
        self.log.write(self.part, Level::Debug, event, fields);
    }

    /// Normal events.
    pub fn info(&self, event: &str, fields: &[Field]) {
        self.log.write(self.part, Level::Info, event, fields);
    }

    /// Events that an operator should look at.
    pub fn warn(&self, event: &str, fields: &[Field]) {
        self.log.write(self.part, Level::Warn, event, fields);
    }

    /// Failures that stop the engine from working.
    pub fn error(&self, event: &str, fields: &[Field]) {
        self.log.write(self.part, Level::Error, event, fields);
    }

    /// Logs a warning whose cause others can repeat.
    pub fn warn_limited(&self, event: &'static str, fields: &[Field]) {
        let admitted = self.log.limit.lock().unwrap_or_else(PoisonError::into_inner).admit(event, Instant::now());
        if admitted {
            self.warn(event, fields);
        }
    }
}

fn line(form: Form, part: Option<Part>, level: Level, event: &str, fields: &[Field]) -> String {
    let time = time(SystemTime::now());
    let values = fields.iter().map(|(key, value)| (*key, text::printable(&value.to_string(), text::MAX_LOG_TEXT)));
    let mut line = match form {
        Form::Json => {
            let first = [("time", time), ("level", level.name().into())];
            let part = part.map(|part| ("part", part.name().to_owned()));
            let all = first
                .into_iter()
                .chain(part)
                .chain([("event", event.into())])
                .chain(values)
                .map(|(key, value)| json_field(key, &value));
            return format!("{{{}}}\n", all.collect::<Vec<_>>().join(","));
        }
        Form::Text => format!("{time} {:<7} {event}", level.name()),
        Form::Terminal => {
            let width = if fields.is_empty() { 0 } else { EVENT_COLUMN - 1 };
            format!("{time} {}{:<7}\x1b[m {event:<width$}", level.colour(), level.name())
        }
    };
    for (key, value) in values {
        // Writing to a string cannot fail.
        let _ = if value.is_empty() || value.contains([' ', '=']) {
            write!(line, " {key}=\"{value}\"")
        } else {
            write!(line, " {key}={value}")
        };
    }
    line.push('\n');
    line
}

/// `value` contains no control characters and no quotes.
fn json_field(key: &str, value: &str) -> String {
    format!("\"{key}\":\"{}\"", value.replace('\\', "\\\\"))
}

/// The time in UTC with milliseconds: 2026-11-24T21:50:57.123Z.
fn time(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, days) = (since.as_secs() % 86_400, since.as_secs() / 86_400);
    // Converts days to a date in years that begin with March, so that a leap day is the last day of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second, millis) = (seconds / 3600, seconds / 60 % 60, seconds % 60, since.subsec_millis());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc() {
        assert_eq!(time(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
        assert_eq!(time(UNIX_EPOCH + Duration::from_millis(1_709_164_800_123)), "2024-02-29T00:00:00.123Z");
        assert_eq!(time(UNIX_EPOCH + Duration::from_secs(4_102_444_799)), "2099-12-31T23:59:59.000Z");
    }

    const FIELDS: [Field; 3] = [("peer", &7), ("agent", &"a b"), ("reason", &"")];

    #[test]
    fn a_line_has_its_fields() {
        let line = line(Form::Text, Some(Part::Peers), Level::Info, "peer_connected", &FIELDS);
        assert!(line.ends_with("Z info    peer_connected peer=7 agent=\"a b\" reason=\"\"\n"), "{line}");
    }

    #[test]
    fn a_terminal_shows_columns_and_colours() {
        let of = |event, fields| line(Form::Terminal, None, Level::Warn, event, fields);
        let (short, bare) = (of("peer_connected", &FIELDS[..1]), of("ends", &[]));
        assert!(short.ends_with("Z \x1b[33m\x1b[1mwarning\x1b[m peer_connected          peer=7\n"), "{short:?}");
        assert!(bare.ends_with("\x1b[m ends\n"), "{bare:?}");
    }

    #[test]
    fn json_has_the_same_fields() {
        let line = line(Form::Json, Some(Part::Gossip), Level::Error, "odd", &[FIELDS[0], ("text", &"a\\b \"c\"\n")]);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        let time = value["time"].as_str().unwrap();
        let rest = r#""level":"error","part":"gossip","event":"odd","peer":"7","text":"a\\b 'c' "}"#;
        assert_eq!(line, format!("{{\"time\":\"{time}\",{rest}\n"));
    }

    #[test]
    fn levels_change_while_the_log_is_used() {
        let (sender, written) = std::sync::mpsc::channel();
        let levels = |text| Levels::parse(text).unwrap();
        let log = Log::to(levels("warn"), Form::Text, move |line| sender.send(line.to_owned()).is_ok()).unwrap();
        let say = |event| {
            log.of(Part::Gossip).debug(event, &[]);
            log.of(Part::Peers).debug(event, &[]);
            log.info(event, &[]);
        };
        say("first");
        log.set_levels(levels("info,gossip=debug"));
        say("second");
        log.set_levels(levels("error,peers=debug"));
        say("third");
        drop(log);
        let events: Vec<String> =
            written.iter().map(|line| line.split(' ').skip(1).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(events, ["debug   second\n", "info    second\n", "debug   third\n"]);
    }
}
