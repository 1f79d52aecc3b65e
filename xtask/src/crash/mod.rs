//! Decides how the promise "durable before acknowledged, at any crash" is tested on the real programs. The example
//! server, or the database under it, is killed at random moments while senders deliver as a provider does: each
//! delivery is repeated until it is answered 2xx.
//!
//! A run consists of passes. Each pass begins with an empty database and sends every delivery of the fixtures,
//! shuffled. When all are acknowledged, the stored data must equal that of an undisturbed run. Passes are short, so
//! that every kill interrupts work in progress.

mod place;
mod sender;
pub(crate) mod server;
mod verdict;

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use place::Place;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use sender::{Board, Tally};
use server::Server;
use verdict::Stored;

use crate::{
    scenarios::{self, Body},
    services::{self, Running, Service},
    shell::{self, Tone, paint},
};

/// Kills the webhook server repeatedly while deliveries arrive, and compares the result with an undisturbed run.
#[derive(Debug, Args)]
pub(crate) struct CrashArgs {
    /// The number of kills.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// The seed of every random choice. Default: a new seed, which is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// The number of senders that deliver concurrently.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    concurrency: u32,
    /// The store that the webhook server uses. PostgreSQL and D1 servers are started if they aren't running.
    #[arg(long, value_enum, default_value_t = Database::Sqlite)]
    store: Database,
    /// The process to kill: the webhook server, or the database server that it uses. The killed process is restarted.
    #[arg(long, value_enum, default_value_t = Victim::Server)]
    kill: Victim,
    /// The build profile of the webhook server.
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// The time limit of the whole run, in seconds. The command fails if it hasn't made all kills by then.
    #[arg(long, default_value_t = 230)]
    seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    D1,
    Postgres,
    Sqlite,
}

impl Database {
    /// The service that this database needs.
    fn service(self) -> Option<Service> {
        match self {
            Self::D1 => Some(Service::D1),
            Self::Postgres => Some(Service::Postgres),
            Self::Sqlite => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Victim {
    Database,
    Server,
}

/// The build profile of a program.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// The longest life of a webhook server in milliseconds, measured from when it listens.
const LIFE_MILLIS: u64 = 45;
/// The longest life of a database server in milliseconds, measured from when it answers.
const DATABASE_LIFE_MILLIS: u64 = 400;
/// One in this many kills happens while the server starts.
const KILLS_AT_START: u32 = 10;
/// One in this many deliveries is sent again after it was acknowledged.
pub(crate) const DUPLICATES: u32 = 6;

/// Counts over all passes.
#[derive(Debug, Default)]
struct Score {
    passes: u32,
    kills: u32,
    kills_in_flight: u32,
    tally: Tally,
}

/// Runs the passes and checks their results.
pub(crate) fn run(args: CrashArgs) -> anyhow::Result<ExitCode> {
    let service = args.store.service();
    if args.kill == Victim::Database && service.is_none() {
        bail!("--kill database needs a store with a separate server: --store postgres or --store d1");
    }
    let program = build(args.profile)?;
    let running = service.map(|service| services::ensure(&[service])).transpose()?;
    if let (Victim::Database, Some(running), Some(service)) = (args.kill, &running, service) {
        // Another server of this kind may be running too. Killing that one would prove nothing.
        let name = service.name();
        ensure!(
            !running.is_given(service),
            "--kill database can't kill the {name} that the environment names; unset its variables to start one"
        );
    }
    let bodies: Arc<[Body]> = scenarios::bodies()?.into();
    let seed = match args.seed {
        Some(seed) => seed,
        None => u64::from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.subsec_nanos()),
    };
    println!("seed {seed}, {} deliveries per pass, {} senders", bodies.len(), args.concurrency);
    let scratch = shell::target_dir().join("crash");
    std::fs::create_dir_all(&scratch).with_context(|| format!("could not create {}", scratch.display()))?;
    let scratch = tempfile::tempdir_in(scratch)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (score, broken) = runtime.block_on(judge(&args, &program, &bodies, seed, running.as_ref(), scratch.path()))?;
    let Tally { acknowledged, duplicates, cut_off, put_off, stored_unanswered } = score.tally;
    println!(
        "{} kills in {} passes, {} with requests in flight; {acknowledged} acknowledgements, {duplicates} of duplicates; \
         {cut_off} requests cut off, {put_off} answered 5xx, {stored_unanswered} of these stored but not acknowledged",
        score.kills, score.passes, score.kills_in_flight,
    );
    for line in &broken {
        println!("{} {line}", paint(Tone::Bad, "broken"));
    }
    if !broken.is_empty() {
        let word = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
            value().map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let (store, kill) = (word(&|| args.store.to_possible_value()), word(&|| args.kill.to_possible_value()));
        println!("again: cargo xtask crash --kills {} --seed {seed} --store {store} --kill {kill}", args.kills);
        if args.store == Database::Sqlite {
            println!("the database of the broken pass: {}", scratch.keep().display());
        }
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "{}",
        paint(Tone::Good, "held: every acknowledged event is stored, and only once; the projection is the same")
    );
    Ok(ExitCode::SUCCESS)
}

/// Builds the example server and returns the path of its program.
pub(crate) fn build(profile: Profile) -> anyhow::Result<PathBuf> {
    let mut cargo = shell::cargo();
    cargo.args(["build", "--quiet", "--workspace", "--all-features", "--example", "webhook_server"]);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            cargo.arg("--release");
            "release"
        }
    };
    shell::must(&mut cargo)?;
    Ok(shell::target_dir().join(folder).join("examples/webhook_server"))
}

async fn judge(
    args: &CrashArgs,
    program: &Path,
    bodies: &Arc<[Body]>,
    seed: u64,
    running: Option<&Running>,
    scratch: &Path,
) -> anyhow::Result<(Score, Vec<String>)> {
    let deadline = Instant::now() + Duration::from_secs(args.seconds);
    let mut score = Score::default();
    let place = |name: &str| Place::new(args.store, running, scratch, name);
    let database = place("undisturbed")?;
    let victim = args.store.service().filter(|_| args.kill == Victim::Database);
    let calm = Pass { program, bodies, concurrency: args.concurrency, database, victim };
    let (expected, _) = calm.run(&mut StdRng::seed_from_u64(seed), 0, &mut Score::default(), deadline).await?;
    ensure!(expected.count() > 0, "the undisturbed run stored nothing");
    while score.kills < args.kills {
        if Instant::now() > deadline {
            let line = format!("only {} kills in {} s; raise --seconds", score.kills, args.seconds);
            return Ok((score, vec![line]));
        }
        score.passes += 1;
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(u64::from(score.passes)));
        let pass = Pass { database: place(&format!("pass{}", score.passes))?, ..calm.clone() };
        let wanted = args.kills - score.kills;
        let (found, acknowledged) = pass.run(&mut random, wanted, &mut score, deadline).await?;
        let broken = verdict::differences(&expected, &found, &acknowledged);
        if !broken.is_empty() {
            return Ok((score, broken));
        }
        pass.database.remove();
        progress(&score, args.kills);
    }
    Ok((score, Vec::new()))
}

fn progress(score: &Score, kills: u32) {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        let end = if score.kills >= kills { "\n" } else { "" };
        print!("\r{} of {kills} kills, {} passes{end}", score.kills, score.passes);
        // A failure to flush the progress line is no reason to stop.
        drop(out.flush());
    }
}

/// One pass: from an empty database until everything is acknowledged.
#[derive(Clone)]
struct Pass<'a> {
    program: &'a Path,
    bodies: &'a Arc<[Body]>,
    concurrency: u32,
    database: Place,
    /// The database server to kill. `None` if the webhook server is killed.
    victim: Option<Service>,
}

impl Pass<'_> {
    /// Sends everything, with at most `kills` kills. Returns the data stored at the end, and the acknowledged events.
    async fn run(
        &self,
        random: &mut StdRng,
        kills: u32,
        score: &mut Score,
        deadline: Instant,
    ) -> anyhow::Result<(Stored, Vec<String>)> {
        let mut order: Vec<usize> = (0..self.bodies.len()).collect();
        order.shuffle(random);
        let board = Arc::new(Board::new(Arc::clone(self.bodies), order));
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..self.concurrency {
            senders.spawn(sender::send_all(Arc::clone(&board), random.random()));
        }
        let server = match self.victim {
            Some(service) => self.kill_database(service, &board, random, kills, score, deadline).await?,
            None => self.kill_server(&board, random, kills, score, deadline).await?,
        };
        if tokio::time::timeout(Duration::from_secs(60), board.done()).await.is_err() {
            bail!("after 60 s the server has not accepted every delivery; its last answer: {}", board.last_answer());
        }
        while let Some(sender) = senders.join_next().await {
            score.tally.add(&sender??);
        }
        let projection = sender::projection(server.address()?).await?;
        server.stop().await?;
        let stored = Stored::read(self.database.open().await?.as_ref(), projection).await?;
        Ok((stored, board.acknowledged()))
    }

    /// Starts the webhook server, kills it and restarts it, until no kills are left or everything is delivered.
    async fn kill_server(
        &self,
        board: &Board,
        random: &mut StdRng,
        kills: u32,
        score: &mut Score,
        deadline: Instant,
    ) -> anyhow::Result<Server> {
        let mut killed = 0;
        loop {
            let mut server = Server::start(self.program, self.database.url())?;
            if killed < kills && random.random_ratio(1, KILLS_AT_START) {
                tokio::time::sleep(Duration::from_millis(random.random_range(0..20))).await;
                server.kill().await?;
                (killed, score.kills) = (killed + 1, score.kills + 1);
                continue;
            }
            board.listen_at(Some(server.ready().await?));
            if killed == kills {
                return Ok(server);
            }
            let life = Duration::from_micros(random.random_range(0..LIFE_MILLIS * 1000));
            let done = tokio::time::timeout(life, board.done()).await.is_ok();
            if done {
                return Ok(server);
            }
            let in_flight = board.in_flight.load(Ordering::SeqCst);
            server.kill().await?;
            board.listen_at(None);
            (killed, score.kills) = (killed + 1, score.kills + 1);
            score.kills_in_flight += u32::from(in_flight > 0);
            ensure!(Instant::now() < deadline + Duration::from_secs(20), "the run does not end");
        }
    }

    /// Starts the webhook server, and repeatedly kills the database under it.
    async fn kill_database(
        &self,
        service: Service,
        board: &Board,
        random: &mut StdRng,
        kills: u32,
        score: &mut Score,
        deadline: Instant,
    ) -> anyhow::Result<Server> {
        let mut server = Server::start(self.program, self.database.url())?;
        board.listen_at(Some(server.ready().await?));
        for _ in 0..kills {
            let life = Duration::from_micros(random.random_range(0..DATABASE_LIFE_MILLIS * 1000));
            if tokio::time::timeout(life, board.done()).await.is_ok() {
                break;
            }
            let in_flight = board.in_flight.load(Ordering::SeqCst);
            tokio::task::block_in_place(|| services::crash(service).and_then(|()| services::restart(service)))?;
            score.kills += 1;
            score.kills_in_flight += u32::from(in_flight > 0);
            ensure!(Instant::now() < deadline + Duration::from_secs(20), "the run does not end");
        }
        Ok(server)
    }
}
