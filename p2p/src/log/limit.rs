//! How often a line is written whose cause others can repeat.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Limits the lines of each cause. Causes are names in the code, so that there are few.
#[derive(Default)]
pub(super) struct LineLimit {
    causes: BTreeMap<&'static str, Cause>,
}

struct Cause {
    since: Instant,
    left_out: u64,
}

impl LineLimit {
    pub(super) const PERIOD: Duration = Duration::from_secs(60);

    pub(super) fn admit(&mut self, cause: &'static str, now: Instant) -> bool {
        let Some(state) = self.causes.get_mut(cause) else {
            self.causes.insert(cause, Cause { since: now, left_out: 0 });
            return true;
        };
        if state.left_out == 0 && now.duration_since(state.since) >= Self::PERIOD {
            state.since = now;
            return true;
        }
        state.left_out += 1;
        false
    }

    pub(super) fn take_left_out(&mut self, now: Instant) -> Vec<(&'static str, u64)> {
        let mut taken = vec![];
        self.causes.retain(|cause, state| {
            if now.duration_since(state.since) < Self::PERIOD {
                return true;
            }
            if state.left_out == 0 {
                return false;
            }
            taken.push((*cause, std::mem::take(&mut state.left_out)));
            state.since = now;
            true
        });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_cause_is_counted() {
        let start = Instant::now();
        let mut limit = LineLimit::default();
        assert!(limit.admit("a", start));
        assert!(!limit.admit("a", start) && !limit.admit("a", start));
        assert!(limit.admit("b", start));
        assert!(limit.take_left_out(start + Duration::from_secs(59)).is_empty());
        assert_eq!(limit.take_left_out(start + Duration::from_secs(60)), [("a", 2)]);
        assert!(!limit.admit("a", start + Duration::from_secs(61)));
        assert_eq!(limit.take_left_out(start + Duration::from_secs(120)), [("a", 1)]);
        assert!(limit.take_left_out(start + Duration::from_secs(180)).is_empty());
        assert!(limit.admit("a", start + Duration::from_secs(181)));
    }
}
