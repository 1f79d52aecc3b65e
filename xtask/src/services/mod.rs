//! Decides what servers tests can have: a real PostgreSQL and a real local Cloudflare D1, thrown away with their data.
//! A command that needs one asks `ensure` for it; `up` keeps them running between commands.

mod d1;
mod given;
mod install;
mod node;
mod postgres;
mod process;
mod programs;
mod show;
mod state;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
pub(crate) use d1::{DATABASES as D1_DATABASES, TOKEN as D1_TOKEN, URL as D1_URL};
use serde::{Deserialize, Serialize};
use show::Format;
use state::{Home, Kept};

/// Names and values for the environment of whoever uses a service.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// Starts, shows and stops the servers that tests use.
#[derive(Debug, Args)]
pub(crate) struct ServicesArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Starts what does not run, and says how tests reach it.
    Up {
        /// Only this one.
        #[arg(long)]
        only: Option<Service>,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Stops what `up` started, and deletes its data.
    Down,
    /// Says what runs. Exit code 0 when everything does, 1 when not.
    Status {
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Kills a service, as a crash would; its data stay.
    Crash { service: Service },
    /// Starts a service that was killed, at the same address with the same data.
    Restart { service: Service },
}

/// A kind of server that tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Cloudflare D1: the engine in workerd, behind the shape of the REST API.
    D1,
    /// PostgreSQL.
    Postgres,
}

impl Service {
    pub(crate) const ALL: [Self; 2] = [Self::D1, Self::Postgres];

    /// As the command line has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::D1 => "d1",
            Self::Postgres => "postgres",
        }
    }
}

/// A server that this program started, now or earlier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Server {
    D1(d1::D1),
    Postgres(postgres::Postgres),
}

/// Runs one of the commands.
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
            eprintln!("{} is killed; `cargo xtask services restart {0}` brings it back", service.name());
        }
        Action::Restart { service } => {
            restart(*service)?;
            eprintln!("{} runs again", service.name());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Services that run. Dropped, it stops those that it started and deletes their data; others stay.
#[derive(Debug)]
pub(crate) struct Running {
    home: Home,
    services: Vec<Ready>,
}

/// A service that answers.
#[derive(Debug)]
struct Ready {
    service: Service,
    variables: Variables,
    /// Whether to stop it in the end.
    stop: bool,
}

/// Makes sure that services run, and starts what does not.
pub(crate) fn ensure(services: &[Service]) -> anyhow::Result<Running> {
    up(&Home::of_checkout(), services, Some(std::process::id()))
}

/// A local D1 of one's own, at a port that the system chooses, which keeps nothing; and what its clients need to know.
pub(crate) fn d1_host() -> anyhow::Result<(std::process::Command, Variables)> {
    let home = Home::of_checkout();
    d1::own_host(&home)
}

/// Kills a service, as a crash would, whichever command started it. Its data stay, for `restart`.
pub(crate) fn crash(service: Service) -> anyhow::Result<()> {
    crash_in(&Home::of_checkout(), service)
}

/// Starts a service that was killed, at the same address with the same data.
pub(crate) fn restart(service: Service) -> anyhow::Result<()> {
    restart_in(&Home::of_checkout(), service)
}

/// One of PostgreSQL's own programs, where it is on this machine.
pub(crate) fn postgres_program(name: &str) -> Option<PathBuf> {
    programs::find().map(|folder| folder.join(name)).filter(|program| program.is_file())
}

impl Running {
    /// What whoever uses the services finds them by.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.services.iter().flat_map(|ready| &ready.variables).map(|(name, value)| (*name, value.as_str()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for ready in self.services.iter().filter(|ready| ready.stop) {
            if let Err(error) = remove(&self.home, ready.service) {
                eprintln!("error: {} can't be stopped: {error:#}", ready.service.name());
            }
        }
    }
}

/// Makes sure that services run for an owner, or for everybody until `down`.
fn up(home: &Home, services: &[Service], owner: Option<u32>) -> anyhow::Result<Running> {
    let mut running = Running { home: home.clone(), services: Vec::new() };
    for service in services {
        running.services.push(ready(home, *service, owner).with_context(|| service.name())?);
    }
    Ok(running)
}

fn ready(home: &Home, service: Service, owner: Option<u32>) -> anyhow::Result<Ready> {
    let mut held = home.hold()?;
    let own = held.state.of(service).map(|kept| kept.server.variables());
    if let Some(variables) = given::by_environment(service, own.as_ref(), |name| home.variable(name))? {
        return Ok(Ready { service, variables, stop: false });
    }
    if let Some(kept) = held.state.of(service) {
        if kept.server.pid().is_some() && kept.server.answers() {
            let orphan = kept.is_orphan();
            if owner.is_none() || orphan {
                kept.owner = owner;
            }
            let (variables, stop) = (kept.server.variables(), orphan && owner.is_some());
            if owner.is_none() {
                eprintln!("{} is up already", service.name());
            }
            held.save()?;
            return Ok(Ready { service, variables, stop });
        }
        if let Some(other) = kept.other_owner() {
            bail!("process {other} started it and has stopped it for now; wait until that process ends");
        }
        eprintln!("{} was started earlier and does not answer; its data are deleted", service.name());
        kept.server.end_and_delete()?;
        held.state.remove(service);
        held.save()?;
    }
    let server = Server::create(home, service)?;
    held.state.put(Kept { owner, server });
    let started = held.start(service);
    if let Err(error) = started {
        if let Some(kept) = held.state.remove(service) {
            kept.server.end_and_delete()?;
        }
        held.save()?;
        return Err(error);
    }
    let variables = held.state.of(service).map(|kept| kept.server.variables()).unwrap_or_default();
    Ok(Ready { service, variables, stop: owner.is_some() })
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

/// Stops a service and deletes its data.
fn remove(home: &Home, service: Service) -> anyhow::Result<()> {
    let mut held = home.hold()?;
    if let Some(kept) = held.state.of(service) {
        kept.server.end_and_delete()?;
        held.state.remove(service);
        held.save()?;
    }
    Ok(())
}

fn down(home: &Home) -> anyhow::Result<()> {
    for service in Service::ALL {
        let other = home.hold()?.state.of(service).map(|kept| kept.other_owner());
        match other {
            None => eprintln!("{} was not up", service.name()),
            Some(Some(other)) => eprintln!("{} belongs to process {other}, which will stop it", service.name()),
            Some(None) => {
                remove(home, service)?;
                eprintln!("{} is down", service.name());
            }
        }
    }
    Ok(())
}

impl state::Held {
    /// A service that this program started, for doing something to it.
    fn started(&mut self, service: Service) -> anyhow::Result<&mut Kept> {
        let name = service.name();
        self.state.of(service).with_context(|| {
            format!("{name} was not started by `cargo xtask`, and a server of somebody else is left alone")
        })
    }

    /// Starts a service. What runs is written down before it is waited for: nothing is left when that is cut off.
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

impl Server {
    fn create(home: &Home, service: Service) -> anyhow::Result<Self> {
        Ok(match service {
            Service::D1 => Self::D1(d1::D1::create(home)?),
            Service::Postgres => Self::Postgres(postgres::Postgres::create(home)?),
        })
    }

    fn service(&self) -> Service {
        match self {
            Self::D1(_) => Service::D1,
            Self::Postgres(_) => Service::Postgres,
        }
    }

    fn end_and_delete(&self) -> anyhow::Result<()> {
        match self {
            Self::D1(server) => server.stop().and_then(|()| server.delete()),
            // What would be saved by an orderly end is deleted.
            Self::Postgres(server) => server.crash().and_then(|()| server.delete()),
        }
    }

    fn crash(&self) -> anyhow::Result<()> {
        match self {
            Self::D1(server) => server.crash(),
            Self::Postgres(server) => server.crash(),
        }
    }

    fn pid(&self) -> Option<u32> {
        match self {
            Self::D1(server) => server.running(),
            Self::Postgres(server) => server.pid(),
        }
    }

    fn answers(&self) -> bool {
        match self {
            Self::D1(server) => server.answers(),
            Self::Postgres(server) => server.answers(),
        }
    }

    fn variables(&self) -> Variables {
        match self {
            Self::D1(server) => server.variables(),
            Self::Postgres(server) => server.variables(),
        }
    }

    fn port(&self) -> u16 {
        match self {
            Self::D1(server) => server.port(),
            Self::Postgres(server) => server.port(),
        }
    }

    fn log(&self) -> PathBuf {
        match self {
            Self::D1(server) => server.log(),
            Self::Postgres(server) => server.log(),
        }
    }
}
