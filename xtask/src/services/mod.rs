//! Decides which servers tests can use: a real PostgreSQL and a real local Cloudflare D1, both deleted with their data
//! after use. A command that needs a server calls `ensure`; `up` keeps servers running between commands.

mod d1;
mod given;
mod install;
mod locks;
mod node;
mod postgres;
mod process;
mod programs;
mod server;
mod show;
mod state;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, process::ExitCode, sync::Once};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
pub(crate) use d1::{DATABASES as D1_DATABASES, TOKEN as D1_TOKEN, URL as D1_URL};
pub(crate) use process::runs;
use server::Server;
use show::Format;
use state::{Home, Kept};

use crate::signals;

/// Names and values of environment variables for the users of a service.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// Starts, shows and stops the servers that tests need: PostgreSQL and a local Cloudflare D1.
#[derive(Debug, Args)]
pub(crate) struct ServicesArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Starts the services that aren't running, and prints the environment variables that tests need. The services keep
    /// running until `down`.
    Up {
        /// Starts only this service. Default: all services.
        #[arg(long)]
        only: Option<Service>,
        /// The output format.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Stops the services that `up` started, and deletes their data.
    Down,
    /// Shows which services are running. The exit code is 0 if all of them are, otherwise 1.
    Status {
        /// The output format.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Kills a service, to simulate a crash. Its data is kept.
    Crash { service: Service },
    /// Restarts a killed service, at the same address and with the same data.
    Restart { service: Service },
}

/// A kind of server that tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Cloudflare D1: the engine in workerd, behind an API in the shape of D1's REST API.
    D1,
    /// PostgreSQL.
    Postgres,
}

impl Service {
    pub(crate) const ALL: [Self; 2] = [Self::D1, Self::Postgres];

    /// The service's name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::D1 => "d1",
            Self::Postgres => "postgres",
        }
    }

    /// The environment variables that contain the service's address and credentials, the address first.
    pub(crate) fn variables(self) -> &'static [&'static str] {
        match self {
            Self::D1 => &[D1_URL, D1_TOKEN, D1_DATABASES],
            Self::Postgres => &[postgres::URL],
        }
    }
}

/// Runs the subcommand.
pub(crate) fn run(args: &ServicesArgs) -> anyhow::Result<ExitCode> {
    let home = Home::of_checkout();
    match &args.action {
        Action::Up { only, format } => {
            let services = only.map_or(Service::ALL.to_vec(), |only| vec![only]);
            up(&home, &services, None)?;
            return show::show(&home, &services, *format);
        }
        Action::Down => down(&home)?,
        Action::Status { format } => return show::show(&home, &Service::ALL, *format),
        Action::Crash { service } => {
            crash(*service)?;
            eprintln!("killed {}; `cargo xtask services restart {0}` restarts it", service.name());
        }
        Action::Restart { service } => {
            restart(*service)?;
            eprintln!("restarted {}", service.name());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Running services. Dropping this value stops the services that have no other user, and deletes their data.
#[derive(Debug)]
pub(crate) struct Running {
    home: Home,
    services: Vec<Ready>,
}

/// A service that answers requests.
#[derive(Debug)]
struct Ready {
    service: Service,
    variables: Variables,
    whose: Whose,
}

/// Who started a service and is responsible for stopping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Someone else started it; an environment variable contains its address.
    Given,
    /// This program started it. It runs for this user, or until `down`.
    Own { user: Option<u32> },
}

/// Ensures that the services are running, and starts those that aren't.
pub(crate) fn ensure(services: &[Service]) -> anyhow::Result<Running> {
    static ONCE: Once = Once::new();
    let mut watched = Ok(());
    ONCE.call_once(|| watched = signals::before_end(|| leave_all(&Home::of_checkout())));
    watched.and_then(|()| up(&Home::of_checkout(), services, Some(std::process::id())))
}

/// The command for a private local D1 that stores nothing permanently and listens on a port chosen by the system, with
/// the environment variables for its clients.
pub(crate) fn d1_host() -> anyhow::Result<(std::process::Command, Variables)> {
    let home = Home::of_checkout();
    d1::own_host(&home)
}

/// Ensures that a local D1 can be started.
pub(crate) fn prepare_d1() -> anyhow::Result<()> {
    node::prepare(Home::of_checkout().node())
}

/// A Node, and a folder in which it can run the official SDKs.
pub(crate) struct Judges {
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
}

/// Installs the official SDKs that judge the emulators.
pub(crate) fn prepare_judges() -> anyhow::Result<Judges> {
    let home = Home::of_checkout();
    let folder = crate::shell::target_dir().join("judges");
    node::prepare_judges(home.node(), &folder)?;
    Ok(Judges { program: node::program(home.node()), folder })
}

/// Deletes lock files that tests left in the temporary folder for local D1 servers that no longer exist.
pub(crate) fn sweep_d1_locks() {
    locks::sweep();
}

/// Kills a service, to simulate a crash, whichever command started it. Its data is kept for `restart`.
pub(crate) fn crash(service: Service) -> anyhow::Result<()> {
    crash_in(&Home::of_checkout(), service)
}

/// Restarts a killed service, at the same address and with the same data.
pub(crate) fn restart(service: Service) -> anyhow::Result<()> {
    restart_in(&Home::of_checkout(), service)
}

/// The path of one of PostgreSQL's programs on this machine.
pub(crate) fn postgres_program(name: &str) -> Option<PathBuf> {
    programs::find().map(|folder| folder.join(name)).filter(|program| program.is_file())
}

impl Running {
    /// Whether someone else started a service, so that this program can't kill and restart it.
    pub(crate) fn is_given(&self, service: Service) -> bool {
        self.services.iter().any(|ready| ready.service == service && ready.whose == Whose::Given)
    }

    /// The environment variables that users of the services need.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.services.iter().flat_map(|ready| &ready.variables).map(|(name, value)| (*name, value.as_str()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for ready in &self.services {
            let Whose::Own { user: Some(user) } = ready.whose else { continue };
            if let Err(error) = leave(&self.home, ready.service, user) {
                eprintln!("error: {} can't be stopped: {error:#}", ready.service.name());
            }
        }
    }
}

/// Ensures that services are running, either for one process or for everyone until `down`.
fn up(home: &Home, services: &[Service], user: Option<u32>) -> anyhow::Result<Running> {
    let mut running = Running { home: home.clone(), services: Vec::new() };
    for service in services {
        running.services.push(ready(home, *service, user).with_context(|| service.name())?);
    }
    Ok(running)
}

fn ready(home: &Home, service: Service, user: Option<u32>) -> anyhow::Result<Ready> {
    let mut held = home.hold()?;
    let own = held.state.of(service).map(|kept| kept.server.variables());
    if let Some(variables) = given::by_environment(service, own.as_ref(), |name| home.variable(name))? {
        return Ok(Ready { service, variables, whose: Whose::Given });
    }
    let whose = Whose::Own { user };
    if let Some(kept) = held.state.of(service) {
        if kept.server.pid().is_some() && kept.server.answers() {
            kept.take(user);
            let variables = kept.server.variables();
            if user.is_none() {
                eprintln!("{} is already running", service.name());
            }
            held.save()?;
            return Ok(Ready { service, variables, whose });
        }
        if let Some(other) = kept.other_user() {
            bail!("process {other} uses it and has killed it for now; wait until that process ends");
        }
        eprintln!("{} was started earlier but does not answer; its data is deleted", service.name());
        kept.server.end_and_delete()?;
        held.state.remove(service);
        held.save()?;
    }
    let server = Server::create(home, service)?;
    held.state.put(Kept { stays: user.is_none(), users: user.into_iter().collect(), server });
    let started = held.start(service);
    if let Err(error) = started {
        if let Some(kept) = held.state.remove(service) {
            kept.server.end_and_delete()?;
        }
        held.save()?;
        return Err(error);
    }
    let variables = held.state.of(service).map(|kept| kept.server.variables()).unwrap_or_default();
    Ok(Ready { service, variables, whose })
}

fn crash_in(home: &Home, service: Service) -> anyhow::Result<()> {
    let mut held = home.hold()?;
    held.started(service)?.server.crash()
}

fn restart_in(home: &Home, service: Service) -> anyhow::Result<()> {
    let mut held = home.hold()?;
    match held.started(service)?.server.pid() {
        Some(_) => Ok(()),
        None => held.start(service),
    }
}

/// Removes a process from the users of a service. If it was the last user, the service is stopped and its data is
/// deleted.
fn leave(home: &Home, service: Service, user: u32) -> anyhow::Result<()> {
    let mut held = home.hold()?;
    match held.state.of(service).map(|kept| kept.leave(user)) {
        Some(true) => held.end(service),
        Some(false) => held.save(),
        None => Ok(()),
    }
}

/// Removes this process from the users of every service.
fn leave_all(home: &Home) {
    let own = std::process::id();
    for service in Service::ALL {
        let left = home.hold().map(|mut held| held.state.of(service).map_or(0, |kept| kept.times_used_by(own)));
        let ended = left.and_then(|times| (0..times).try_for_each(|_| leave(home, service, own)));
        if let Err(error) = ended {
            eprintln!("error: {} can't be stopped: {error:#}", service.name());
        }
    }
}

/// Stops the services that `up` started, and services whose users have all ended without stopping them.
fn down(home: &Home) -> anyhow::Result<()> {
    for service in Service::ALL {
        let mut held = home.hold()?;
        let name = service.name();
        let Some(kept) = held.state.of(service) else {
            eprintln!("{name} was not running");
            continue;
        };
        match kept.other_user() {
            Some(user) => {
                kept.stays = false;
                held.save()?;
                eprintln!("{name} is in use by process {user}, which will stop it");
            }
            None => {
                held.end(service)?;
                eprintln!("{name} is down");
            }
        }
    }
    Ok(())
}

impl state::Held {
    /// A service that this program started, for an operation on it.
    fn started(&mut self, service: Service) -> anyhow::Result<&mut Kept> {
        let name = service.name();
        self.state.of(service).with_context(|| {
            format!("{name} was not started by `cargo xtask`, which never stops the servers of others")
        })
    }

    /// Stops a service and deletes its data.
    fn end(&mut self, service: Service) -> anyhow::Result<()> {
        self.started(service)?.server.end_and_delete()?;
        self.state.remove(service);
        self.save()
    }

    /// Starts a service. The state is saved before the wait for the service, so that an interrupted start can be
    /// cleaned up.
    fn start(&mut self, service: Service) -> anyhow::Result<()> {
        self.save()?;
        match &mut self.started(service)?.server {
            Server::D1(server) => {
                server.spawn()?;
                let server = server.clone();
                self.save()?;
                server.ready()
            }
            Server::Postgres(server) => server.start(),
        }
    }
}
