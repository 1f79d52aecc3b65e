//! Decides how an adapter and a store are put together to be judged, with or without a mutation between them. It does
//! not know the laws.

use std::{any::Any, sync::Arc};

use purchase_core::{
    capability::Capabilities,
    delivery::{Delivery, Limits},
    engine::{Engine, ProjectionQuery, Settings},
    id::{Mode, ProviderName, Source},
    provider::Provider,
    store::{EventQuery, Store, StoredEvent},
    time::Timestamp,
    verify::SignatureError,
};
use serde_json::Value;

use crate::{
    mutants::{Mutation, System},
    receiver::Receiver,
    scenario::Scenario,
    under_test::{Endpoint, Fresh, ProviderUnderTest, StoreUnderTest},
    verdict::Broken,
};

/// The tolerance of every adapter that is judged, in seconds.
pub const TOLERANCE_SECONDS: u32 = 300;

/// An adapter, a store, and perhaps a mutation.
#[derive(Debug, Clone)]
pub struct Rig {
    /// The adapter.
    pub provider: ProviderUnderTest,
    /// The store.
    pub store: StoreUnderTest,
    /// What is broken on purpose.
    pub mutation: Mutation,
}

/// How one system is put together.
pub struct Setup<'a> {
    /// The scenario that it is for.
    pub scenario: &'a Scenario,
    /// The endpoint's secrets.
    pub secrets: Vec<&'a str>,
    /// What stands between the store and everything else.
    pub between: Option<Between<'a>>,
    /// What becomes of the adapter: one beside it, or another in its place.
    pub beside: Option<Beside<'a>>,
}

/// Puts a store behind another.
pub type Between<'a> = Box<dyn FnOnce(Arc<dyn Store>) -> Arc<dyn Store> + Send + 'a>;

/// Makes several adapters of one.
pub type Beside<'a> = Box<dyn FnOnce(Arc<dyn Provider>) -> Vec<Arc<dyn Provider>> + Send + 'a>;

impl<'a> Setup<'a> {
    /// A scenario with its own secret.
    pub fn of(scenario: &'a Scenario) -> Self {
        Self { scenario, secrets: vec![&scenario.secret], between: None, beside: None }
    }
}

/// A system over a store of its own.
pub struct Bench {
    /// The engine: to read and to replay.
    pub engine: Engine,
    /// What takes deliveries.
    pub receiver: Arc<dyn Receiver>,
    as_of: Timestamp,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Rig {
    /// A scenario's system on a fresh store.
    ///
    /// # Errors
    /// When the adapter or the store can't be made.
    pub async fn bench(&self, scenario: &Scenario) -> Result<Bench, Broken> {
        self.bench_of(Setup::of(scenario)).await
    }

    /// A system on a fresh store.
    ///
    /// # Errors
    /// When the adapter or the store can't be made.
    pub async fn bench_of(&self, setup: Setup<'_>) -> Result<Bench, Broken> {
        let Fresh { store, guard } =
            (self.store.fresh)().await.map_err(|error| Broken::caused("the store can't be opened", &error))?;
        let store = match setup.between {
            Some(between) => between(store),
            None => store,
        };
        let store = self.mutation.store(store);
        let provider = self.right_adapter(&setup.secrets, None)?;
        let providers = match setup.beside {
            Some(beside) => beside(provider),
            None => vec![provider],
        };
        let settings = Settings { catalog: setup.scenario.catalog.clone(), ..Settings::default() };
        let engine = providers.into_iter().fold(Engine::new(store).with_settings(settings), |engine, provider| {
            engine.with_provider(self.mutation.provider(provider))
        });
        let receiver = self.mutation.receiver(System {
            engine: engine.clone(),
            provider: self.provider,
            secrets: setup.secrets.into_iter().map(str::to_owned).collect(),
        });
        Ok(Bench { engine, receiver, as_of: setup.scenario.as_of, _guard: guard })
    }

    /// The adapter, mutated, of an endpoint with these secrets that serves a mode or both.
    ///
    /// # Errors
    /// When it can't be built.
    pub fn adapter(&self, secrets: &[&str], mode: Option<Mode>) -> Result<Arc<dyn Provider>, Broken> {
        Ok(self.mutation.provider(self.right_adapter(secrets, mode)?))
    }

    fn right_adapter(&self, secrets: &[&str], mode: Option<Mode>) -> Result<Arc<dyn Provider>, Broken> {
        (self.provider.build)(&Endpoint { secrets, tolerance_seconds: Some(TOLERANCE_SECONDS), mode })
            .map_err(|error| Broken::caused("the adapter can't be built", error.as_ref()))
    }

    /// What the adapter declares.
    ///
    /// # Errors
    /// When it can't be built.
    pub fn declared(&self, scenario: &Scenario) -> Result<Capabilities, Broken> {
        Ok(self.adapter(&[&scenario.secret], None)?.capabilities())
    }

    /// Every delivery of a scenario with its headers: the recorded ones, and a signature at the scenario's `as_of` where
    /// none was recorded.
    ///
    /// # Errors
    /// When the adapter can't be built, or recorded headers hold no signature.
    pub fn sign(&self, scenario: &Scenario) -> Result<Vec<Delivery>, Broken> {
        scenario
            .deliveries
            .iter()
            .map(|recorded| match &recorded.headers {
                None => self.sign_body(scenario, recorded.body.clone()),
                Some(headers) => {
                    let adapter = self.right_adapter(&[&scenario.secret], None)?;
                    let claim = match adapter.webhooks().claim(headers, &Limits::default()) {
                        Ok(claim) => claim,
                        // They were recorded without it, because the body is not the one that was signed any more.
                        Err(SignatureError::Missing { .. }) => {
                            let mut signed = self.sign_body(scenario, recorded.body.clone())?;
                            signed.headers.extend(headers);
                            return Ok(signed);
                        }
                        Err(error) => return Err(Broken::caused("the recorded headers hold no signature", &error)),
                    };
                    Ok(Delivery {
                        provider: self.name()?,
                        headers: headers.clone(),
                        body: recorded.body.clone(),
                        received_at: claim.signed_at.unwrap_or(scenario.as_of),
                    })
                }
            })
            .collect()
    }

    /// A body, signed with the scenario's secret at its `as_of`.
    ///
    /// # Errors
    /// When the adapter's name is none.
    pub fn sign_body(&self, scenario: &Scenario, body: Vec<u8>) -> Result<Delivery, Broken> {
        let headers = (self.provider.sign)(&[&scenario.secret], &body, scenario.as_of).headers();
        Ok(Delivery { provider: self.name()?, headers, body, received_at: scenario.as_of })
    }

    fn name(&self) -> Result<ProviderName, Broken> {
        ProviderName::new(self.provider.name).map_err(|error| Broken::caused("the adapter's name is none", &error))
    }
}

impl Bench {
    /// The canonical projection at the scenario's `as_of`.
    ///
    /// # Errors
    /// The store's.
    pub async fn projection(&self) -> Result<Value, Broken> {
        self.projection_of(None).await
    }

    /// The canonical projection of one source, or of all.
    ///
    /// # Errors
    /// The store's.
    pub async fn projection_of(&self, source: Option<Source>) -> Result<Value, Broken> {
        let query = ProjectionQuery { source, as_of: self.as_of };
        Ok(self.engine.projection(&query).await?.expose_canonical())
    }

    /// Every event that is kept, conflicts apart.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(&self) -> Result<Vec<StoredEvent>, Broken> {
        let mut all: Vec<StoredEvent> = Vec::new();
        loop {
            let after = all.last().map(|stored| stored.sequence);
            let page = self.engine.events(&EventQuery { after, limit: 100, ..EventQuery::default() }).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}
