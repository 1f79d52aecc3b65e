//! Decides which operations every kind of server supports.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Service, Variables, d1, postgres, state::Home};

/// A server that this program started, in this run or an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Server {
    D1(d1::D1),
    Postgres(postgres::Postgres),
}

impl Server {
    pub(super) fn create(home: &Home, service: Service) -> anyhow::Result<Self> {
        Ok(match service {
            Service::D1 => Self::D1(d1::D1::create(home)?),
            Service::Postgres => Self::Postgres(postgres::Postgres::create(home)?),
        })
    }

    pub(super) fn service(&self) -> Service {
        match self {
            Self::D1(_) => Service::D1,
            Self::Postgres(_) => Service::Postgres,
        }
    }

    pub(super) fn end_and_delete(&self) -> anyhow::Result<()> {
        match self {
            Self::D1(server) => server.stop().and_then(|()| server.delete()),
            // A proper shutdown would only save data that is deleted next.
            Self::Postgres(server) => server.crash().and_then(|()| server.delete()),
        }
    }

    pub(super) fn crash(&self) -> anyhow::Result<()> {
        match self {
            Self::D1(server) => server.crash(),
            Self::Postgres(server) => server.crash(),
        }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::D1(server) => server.running(),
            Self::Postgres(server) => server.pid(),
        }
    }

    pub(super) fn answers(&self) -> bool {
        match self {
            Self::D1(server) => server.answers(),
            Self::Postgres(server) => server.answers(),
        }
    }

    pub(super) fn variables(&self) -> Variables {
        match self {
            Self::D1(server) => server.variables(),
            Self::Postgres(server) => server.variables(),
        }
    }

    pub(super) fn port(&self) -> u16 {
        match self {
            Self::D1(server) => server.port(),
            Self::Postgres(server) => server.port(),
        }
    }

    pub(super) fn log(&self) -> PathBuf {
        match self {
            Self::D1(server) => server.log(),
            Self::Postgres(server) => server.log(),
        }
    }
}
