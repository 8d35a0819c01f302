//! The table of all metrics of this program, and the page that is made from it. `docs/metrics.md` lists the same.

use std::fmt::Write;

use super::{Figures, process::Process};

/// The kind of a metric.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// The value of a series.
type Value = fn(&Figures, &Process) -> f64;

/// A metric: its name, kind, label (empty: none) and meaning, and the value for each value of the label.
struct Row(&'static str, Kind, &'static str, &'static str, &'static [(&'static str, Value)]);

use Kind::{Counter, Gauge};

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row("lean_p2p_beacon_attached", Gauge, "", "1: a beacon is attached", &[("", |f, _| f64::from(f.beacon))]),
    Row("lean_p2p_peers", Gauge, "", "Connected peers", &[("", |f, _| f.peers as f64)]),
    Row("lean_p2p_streams", Gauge, "", "Open streams of all peers", &[("", |f, _| f.streams as f64)]),
    Row("lean_p2p_targets_missing", Gauge, "", "Configured peers that are not connected", &[("", |f, _| f.targets_missing as f64)]),
    Row("lean_p2p_connections", Gauge, "", "Open connections", &[("", |f, _| f.counts.connections as f64)]),
    Row("lean_p2p_connections_refused_total", Counter, "", "Connections that the limits refused", &[("", |f, _| f.counts.connections_refused as f64)]),
    Row("lean_p2p_connections_failed_total", Counter, "cause", "Connections that did not come about", &[
        ("dial_error", |f, _| f.counts.dials_failed as f64), ("dial_timeout", |f, _| f.counts.dials_timed_out as f64),
        ("arrival_error", |f, _| f.counts.arrivals_failed as f64), ("arrival_timeout", |f, _| f.counts.arrivals_timed_out as f64),
    ]),
    Row("lean_p2p_bytes_total", Counter, "direction", "Bytes of all streams of all peers on the wire", &[
        ("in", |f, _| f.counts.bytes_in as f64), ("out", |f, _| f.counts.bytes_out as f64),
    ]),
    Row("lean_p2p_published_total", Counter, "", "The beacon's own items that were sent to peers", &[("", |f, _| f.counts.published as f64)]),
    Row("lean_p2p_left_out_total", Counter, "why", "Gossip that was dropped: no verdict in time, too many items without one, malformed, no peer connected, a peer read too slowly", &[
        ("expired", |f, _| f.counts.items_expired as f64), ("full", |f, _| f.counts.items_dropped as f64),
        ("malformed", |f, _| f.counts.items_malformed as f64), ("unpublished", |f, _| f.counts.unpublished as f64),
        ("unsent", |f, _| f.counts.unsent as f64),
    ]),
    Row("lean_p2p_queue_items", Gauge, "queue", "Items of a queue: messages to the beacon, gossip without a verdict, requests to peers, requests of peers with their answers", &[
        ("to_beacon", |f, _| f.outbox.items as f64), ("undecided", |f, _| f.undecided.items as f64),
        ("asked", |f, _| f.asked.items as f64), ("served", |f, _| f.served.items as f64),
    ]),
    Row("lean_p2p_queue_bytes", Gauge, "queue", "Approximate bytes of what lean_p2p_queue_items counts", &[
        ("to_beacon", |f, _| f.outbox.bytes as f64), ("undecided", |f, _| f.undecided.bytes as f64),
        ("asked", |f, _| f.asked.bytes as f64), ("served", |f, _| f.served.bytes as f64),
    ]),
    Row("process_cpu_seconds_total", Counter, "", "Time of processors that the process used, in user and in system mode", &[("", |_, p| p.cpu)]),
    Row("process_resident_memory_bytes", Gauge, "", "Resident memory", &[("", |_, p| p.resident)]),
    Row("process_virtual_memory_bytes", Gauge, "", "Virtual memory", &[("", |_, p| p.virtual_bytes)]),
    Row("process_threads", Gauge, "", "Threads", &[("", |_, p| p.threads)]),
    Row("process_open_fds", Gauge, "", "Open file descriptors", &[("", |_, p| p.open_fds)]),
    Row("process_max_fds", Gauge, "", "How many descriptors may be open", &[("", |_, p| p.max_fds)]),
    Row("process_start_time_seconds", Gauge, "", "Unix time of the start of the process", &[("", |_, p| p.start)]),
];

/// The page in Prometheus' text format.
pub fn page(figures: &Figures, process: &Process) -> String {
    let mut page = String::new();
    for Row(name, kind, label, help, series) in TABLE {
        // Writing to a string does not fail.
        let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
        for (value, read) in *series {
            let labels = if label.is_empty() { String::new() } else { format!("{{{label}=\"{value}\"}}") };
            let _ = writeln!(page, "{name}{labels} {}", read(figures, process));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/metrics.md.
    fn documentation() -> String {
        let mut text = String::from("| name | type | meaning |\n|-|-|-|\n");
        for Row(name, kind, label, help, series) in TABLE {
            let values: Vec<_> = series.iter().map(|(value, _)| format!("`{value}`")).collect();
            let (braces, values) = match *label {
                "" => (String::new(), String::new()),
                label => (format!("{{{label}}}"), format!(". {label}: {}", values.join(", "))),
            };
            let _ = writeln!(text, "| `{name}{braces}` | {} | {help}{values} |", kind.name());
        }
        text
    }

    #[test]
    fn the_page_lists_every_metric() {
        let docs = include_str!("../../../docs/metrics.md");
        let begin = "<!-- metrics of lean-p2p -->\n";
        let table = docs.split_once(begin).and_then(|(_, rest)| rest.split_once("<!-- end of lean-p2p -->"));
        assert_eq!(table.map(|(table, _)| table), Some(&*documentation()), "docs/metrics.md differs from the table");
    }

    #[test]
    fn every_series_has_its_value() {
        let mut figures = Figures { beacon: true, peers: 3, ..Figures::default() };
        figures.counts.bytes_out = 7;
        let page = page(&figures, &Process { start: 1_700_000_000.25, ..Process::default() });
        for line in [
            "lean_p2p_beacon_attached 1",
            "lean_p2p_peers 3",
            "lean_p2p_bytes_total{direction=\"in\"} 0",
            "lean_p2p_bytes_total{direction=\"out\"} 7",
            "process_start_time_seconds 1700000000.25",
            "# TYPE process_cpu_seconds_total counter",
        ] {
            assert!(page.lines().any(|other| other == line), "{line} is missing in\n{page}");
        }
    }
}
