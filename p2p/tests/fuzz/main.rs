//! Fuzzes the readers of foreign bytes with mutated vectors: none may panic, hang, take much more memory than its input
//! justifies, or accept an input that it would encode differently.
//!
//! LEAN_FUZZ_SECONDS (5) is the time for all readers together; LEAN_FUZZ_SEED (1) seeds the mutations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod mutate;
mod readers;

use std::{
    fmt::Write,
    panic,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use mutate::Mutator;
use peak_alloc::PeakAlloc;
use readers::{Reader, all_readers};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The least number of inputs for each reader, however slow the machine is.
const FEWEST: u64 = 1_000;

/// How long a reader may take for one input.
const PATIENCE: Duration = Duration::from_secs(60);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Feeds a reader for some time. Returns the number of inputs, or the failure and its input.
fn feed(reader: Reader, seed: u64, time: Duration) -> Result<u64, String> {
    let input = Arc::new(Mutex::new(vec![]));
    // The queue is bounded, so that it takes little memory.
    let (tell, told) = mpsc::sync_channel(16);
    let (current, name) = (input.clone(), reader.name);
    let feeder = thread::spawn(move || {
        let mut mutator = Mutator::new(reader.seeds, seed);
        let end = Instant::now() + time;
        let mut fed = 0;
        while fed < FEWEST || Instant::now() < end {
            let bytes = mutator.next();
            current.lock().unwrap().clone_from(&bytes);
            // The order matters: memory that the other thread frees in between may lower the result, but never raise
            // it.
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            (reader.read)(&bytes);
            let taken = MEMORY.peak_usage().saturating_sub(before);
            let most = reader.memory + reader.expansion * bytes.len();
            assert!(taken <= most, "it takes {taken} bytes of memory, and at most {most} are right");
            fed += 1;
            // An error means that the receiver is gone.
            let _ = tell.send(fed);
        }
    });
    let mut fed = 0;
    let problem = loop {
        match told.recv_timeout(PATIENCE) {
            Ok(count) => fed = count,
            Err(mpsc::RecvTimeoutError::Timeout) => break "it hangs".to_owned(),
            Err(mpsc::RecvTimeoutError::Disconnected) => match feeder.join() {
                Ok(()) => return Ok(fed),
                Err(panic) => break said(panic.as_ref()),
            },
        }
    };
    let mut hex = String::new();
    let bytes = input.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    bytes.iter().take(4096).for_each(|byte| write!(hex, "{byte:02x}").unwrap());
    Err(format!("{name}: {problem}\nafter {fed} inputs, seed {seed}, {} bytes: {hex}", bytes.len()))
}

/// The message of a panic.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or("it panics".into())
}

fn wrong(read: fn(&[u8])) -> String {
    let reader = Reader { name: "wrong", seeds: vec![vec![0; 100]], memory: 1 << 16, expansion: 1, read };
    feed(reader, 1, Duration::from_secs(5)).unwrap_err()
}

/// Prints panics without a backtrace, which takes longer than `PATIENCE` on a busy machine.
fn print_short_panics() {
    panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}

/// This is one test, since memory is counted for the whole process.
#[test]
fn readers_withstand_anything() {
    print_short_panics();
    assert!(wrong(|bytes| assert!(bytes.len() != 50, "no fifty")).contains("no fifty"));
    assert!(wrong(|_| drop(std::hint::black_box(vec![1u8; 1 << 20]))).contains("bytes of memory"));

    let (seconds, seed) = (setting("LEAN_FUZZ_SECONDS", 5), setting("LEAN_FUZZ_SEED", 1));
    let readers = all_readers();
    let time = Duration::from_secs(seconds) / readers.len() as u32;
    for reader in readers {
        let name = reader.name;
        match feed(reader, seed, time) {
            Ok(fed) => println!("{name}: {fed} inputs"),
            Err(problem) => panic!("{problem}"),
        }
    }
}
