//! `lean-p2p`: parses the options and connects the engine to the beacon's socket.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};

use lean_p2p::{
    beacon_link::{self, Socket},
    budget::{LINK_QUEUE, Memory},
    buffers::Buffers,
    engine::{Engine, Setup},
    gate::Limits,
    log::Log,
    metrics, node_key,
    options::{Options, Order, cause},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    time::{interval, timeout},
};

#[global_allocator]
static BUFFERS: Buffers = Buffers::new();

/// How often the file of settings is looked at.
const FOLLOW: Duration = Duration::from_secs(1);
/// How long the beacon's stream may take to end after the engine has stopped.
const LAST_WORDS: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    Memory::return_large_buffers();
    serve()
}

// One thread: a message passes through several tasks, and waking another thread for each costs more than the tasks
// themselves.
#[tokio::main(flavor = "current_thread")]
async fn serve() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let options = match read_order(&arguments).unwrap_or_else(|error| error.exit()) {
        Order::Run(options) => *options,
        Order::Check(settings) => {
            let printed = io::stdout().write_all(settings.as_bytes());
            return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    let log = match Log::to_stderr(options.log_level.clone(), options.log_format) {
        Ok(log) => Arc::new(log),
        Err(_) => return ExitCode::FAILURE,
    };
    let result = if options.print_identity {
        print_identity(&options, &log)
    } else {
        if options.config.is_some() {
            tokio::spawn(follow_levels(arguments, options.clone(), log.clone()));
        }
        run(options, log.clone()).await
    };
    if let Err(error) = &result {
        log.error("engine_failed", &[("reason", error)]);
    }
    log.flush(LAST_WORDS);
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read_order(arguments: &[OsString]) -> Result<Order, clap::Error> {
    Order::read(arguments, &std::env::vars_os().collect::<Vec<_>>())
}

/// Changes the levels of the log when the file of settings changes. Other settings are read at the start only.
async fn follow_levels(arguments: Vec<OsString>, options: Options, log: Arc<Log>) {
    let (mut levels, mut seen) = (options.log_level, None::<SystemTime>);
    let mut pause = interval(FOLLOW);
    let Some(file) = options.config else { return };
    loop {
        pause.tick().await;
        let Ok(written) = fs::metadata(&file).and_then(|file| file.modified()) else { continue };
        if seen.replace(written) == Some(written) {
            continue;
        }
        match read_order(&arguments) {
            Ok(Order::Run(now)) if now.log_level != levels => {
                levels = now.log_level;
                log.set_levels(levels.clone());
                let why = "other settings are read at the next start";
                log.warn("log_level_changed", &[("level", &levels), ("message", &why)]);
            }
            Ok(_) => {}
            Err(error) => log.error("settings_refused", &[("message", &cause(&error))]),
        }
    }
}

/// Prints what other nodes need to dial this one. Address and ENR are printed only if the address is known.
fn print_identity(options: &Options, log: &Log) -> Result<(), String> {
    let key = node_key::load_or_make(&options.node_key, log)?;
    let mut lines = format!("peer_id: {}\n", key.public().to_peer_id());
    if let Some(enr) = options.record(&key)? {
        lines += &format!("address: {}/p2p/{}\nenr: {enr}\n", enr.multiaddr(), enr.peer_id);
    }
    io::stdout().write_all(lines.as_bytes()).map_err(|error| format!("cannot write to standard output: {error}"))
}

async fn run(options: Options, log: Arc<Log>) -> Result<(), String> {
    let stop = stop_signals(log.clone()).map_err(|error| format!("cannot wait for signals: {error}"))?;
    let key = node_key::load_or_make(&options.node_key, &log)?;
    let own = key.public().to_peer_id();
    let targets = options.targets(own)?;
    let path = options.socket.as_deref().ok_or("--socket is missing")?;
    let socket = Socket::bind(path, options.socket_group.as_deref())?;
    let limits = Limits::new(options.max_connections as usize, options.max_connections_per_ip as usize);
    let setup = Setup {
        key,
        name: options.node_id.clone().unwrap_or_default(),
        targets,
        limits,
        listen: options.listen.clone(),
        listen_tcp: options.listen_tcp.clone(),
        announce: options.announced(own)?,
        discovery: options.discovery()?,
        network: options.network.clone(),
        form: options.signature_form,
        authors: options.gossip_authors,
        framing: options.request_framing,
        memory: options.memory as usize * 1024 * 1024,
        release_memory: || BUFFERS.release(),
    };
    let metrics_listener = match options.metrics_address {
        Some(address) => Some(metrics::listen(address).await?),
        None => None,
    };
    let engine = Engine::start(setup, log.clone()).await?;
    if let Some(listener) = metrics_listener {
        if let Ok(address) = listener.local_addr() {
            log.info("metrics_listening", &[("url", &format!("http://{address}/metrics"))]);
        }
        tokio::spawn(metrics::serve(listener, engine.figures(), stopped(stop.clone())));
    }
    let (events, link) = mpsc::channel(LINK_QUEUE);
    let server = beacon_link::serve(socket, engine.hello().clone(), events, stopped(stop.clone()));
    let engine = engine.run(link, stopped(stop));
    tokio::pin!(server, engine);
    tokio::select! {
        () = &mut engine => {}
        result = &mut server => {
            result?;
            // The server stops at once when no beacon is attached. The engine still says good-bye to its peers.
            engine.await;
            return Ok(());
        }
    }
    // The program does not wait for a beacon that keeps its stream open.
    timeout(LAST_WORDS, server).await.unwrap_or(Ok(()))
}

/// Becomes true when a signal to stop arrives.
fn stop_signals(log: Arc<Log>) -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            _ = hangup.recv() => "SIGHUP",
        };
        log.info("engine_stops", &[("signal", &name)]);
        let _ = sender.send(true);
    });
    Ok(receiver)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
