//! What the kernel tells about this process.

use std::fs;

/// Ticks of a second in /proc, on all systems that libp2p runs on.
const TICKS: f64 = 100.0;
const PAGE: f64 = 4096.0;

/// The figures of /proc; 0 where one is not readable.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Seconds of processors, in user and in system mode.
    pub cpu: f64,
    /// Bytes of virtual memory.
    pub virtual_bytes: f64,
    /// Bytes of resident memory.
    pub resident: f64,
    /// Threads.
    pub threads: f64,
    /// Open file descriptors.
    pub open_fds: f64,
    /// How many may be open.
    pub max_fds: f64,
    /// Unix time of the start, in seconds.
    pub start: f64,
}

impl Process {
    /// The figures now.
    pub fn read() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The second field is the name of the program in parentheses, which may contain spaces.
        let fields: Vec<f64> = stat
            .rsplit_once(')')
            .map(|(_, fields)| fields.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect())
            .unwrap_or_default();
        let field = |index: usize| fields.get(index).copied().unwrap_or_default();
        let machine_start = number_after("/proc/stat", "btime ");
        Self {
            cpu: (field(11) + field(12)) / TICKS,
            virtual_bytes: field(20),
            resident: field(21) * PAGE,
            threads: field(17),
            // Without the one that lists them.
            open_fds: fs::read_dir("/proc/self/fd").map(|fds| fds.count().saturating_sub(1)).unwrap_or_default() as f64,
            max_fds: number_after("/proc/self/limits", "Max open files"),
            start: machine_start + field(19) / TICKS,
        }
    }
}

/// The number after the text that begins a line of a file; 0: there is none.
fn number_after(path: &str, begin: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let rest = text.lines().find_map(|line| line.strip_prefix(begin)).unwrap_or_default();
    rest.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_figures_are_read() {
        let process = Process::read();
        assert!(process.resident > 1e6 && process.virtual_bytes > process.resident, "{process:?}");
        assert!(process.threads >= 1.0 && process.open_fds >= 3.0 && process.max_fds > process.open_fds, "{process:?}");
        assert!(process.start > 1.6e9, "{process:?}");
    }
}
