//! Decides how an adapter and a store are combined into a system under test, with or without a mutation. It does not
//! know the laws.

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

/// The tolerance of every adapter under test, in seconds.
pub const TOLERANCE_SECONDS: u32 = 300;

/// An adapter, a store and an optional mutation.
#[derive(Debug, Clone)]
pub struct Rig {
    /// The adapter.
    pub provider: ProviderUnderTest,
    /// The store.
    pub store: StoreUnderTest,
    /// The mutation, if any.
    pub mutation: Mutation,
}

/// The configuration of one system.
pub struct Setup<'a> {
    /// The scenario that the system plays.
    pub scenario: &'a Scenario,
    /// The endpoint's secrets.
    pub secrets: Vec<&'a str>,
    /// Wraps the store. The engine and the reader see only the wrapper.
    pub between: Option<Between<'a>>,
    /// Replaces the adapter, or adds others beside it.
    pub beside: Option<Beside<'a>>,
}

/// Wraps a store in another store.
pub type Between<'a> = Box<dyn FnOnce(Arc<dyn Store>) -> Arc<dyn Store> + Send + 'a>;

/// Makes one or several adapters from one.
pub type Beside<'a> = Box<dyn FnOnce(Arc<dyn Provider>) -> Vec<Arc<dyn Provider>> + Send + 'a>;

impl<'a> Setup<'a> {
    /// The setup of a scenario with the scenario's own secret.
    pub fn of(scenario: &'a Scenario) -> Self {
        Self { scenario, secrets: vec![&scenario.secret], between: None, beside: None }
    }
}

/// A system on its own fresh store.
pub struct Bench {
    /// The engine, for reading and replaying.
    pub engine: Engine,
    /// The receiver that takes deliveries.
    pub receiver: Arc<dyn Receiver>,
    as_of: Timestamp,
    _guard: Box<dyn Any + Send + Sync>,
}

impl Rig {
    /// Builds a scenario's system on a fresh store.
    ///
    /// # Errors
    /// When the adapter or the store can't be built.
    pub async fn bench(&self, scenario: &Scenario) -> Result<Bench, Broken> {
        self.bench_of(Setup::of(scenario)).await
    }

    /// Builds a system on a fresh store.
    ///
    /// # Errors
    /// When the adapter or the store can't be built.
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

    /// Builds the adapter, with the mutation applied, for an endpoint with these secrets. The endpoint serves one mode
    /// or both.
    ///
    /// # Errors
    /// When the adapter can't be built.
    pub fn adapter(&self, secrets: &[&str], mode: Option<Mode>) -> Result<Arc<dyn Provider>, Broken> {
        Ok(self.mutation.provider(self.right_adapter(secrets, mode)?))
    }

    fn right_adapter(&self, secrets: &[&str], mode: Option<Mode>) -> Result<Arc<dyn Provider>, Broken> {
        (self.provider.build)(&Endpoint { secrets, tolerance_seconds: Some(TOLERANCE_SECONDS), mode })
            .map_err(|error| Broken::caused("the adapter can't be built", error.as_ref()))
    }

    /// The capabilities that the adapter declares.
    ///
    /// # Errors
    /// When the adapter can't be built.
    pub fn declared(&self, scenario: &Scenario) -> Result<Capabilities, Broken> {
        Ok(self.adapter(&[&scenario.secret], None)?.capabilities())
    }

    /// Every delivery of a scenario with its recorded headers. If no signature was recorded, the delivery is signed at
    /// the scenario's `as_of`.
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
                    let presented = match adapter.webhooks().presented_signature(headers, &Limits::default()) {
                        Ok(presented) => presented,
                        // The signature was not kept when these headers were recorded, because the body is no longer
                        // the one that was signed.
                        Err(SignatureError::Missing { .. }) => {
                            let mut signed = self.sign_body(scenario, recorded.body.clone())?;
                            signed.headers.extend(headers);
                            return Ok(signed);
                        }
                        Err(error) => return Err(Broken::caused("the recorded headers have no signature", &error)),
                    };
                    Ok(Delivery {
                        provider: self.name()?,
                        headers: headers.clone(),
                        body: recorded.body.clone(),
                        received_at: presented.signed_at.unwrap_or(scenario.as_of),
                    })
                }
            })
            .collect()
    }

    /// A delivery with this body, signed with the scenario's secret at its `as_of`.
    ///
    /// # Errors
    /// When the adapter's name is not a valid provider name.
    pub fn sign_body(&self, scenario: &Scenario, body: Vec<u8>) -> Result<Delivery, Broken> {
        let headers = (self.provider.sign)(&[&scenario.secret], &body, scenario.as_of).headers();
        Ok(Delivery { provider: self.name()?, headers, body, received_at: scenario.as_of })
    }

    fn name(&self) -> Result<ProviderName, Broken> {
        ProviderName::new(self.provider.name).map_err(|error| Broken::caused("the adapter's name is invalid", &error))
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

    /// The canonical projection of one source, or of all sources.
    ///
    /// # Errors
    /// The store's.
    pub async fn projection_of(&self, source: Option<Source>) -> Result<Value, Broken> {
        let query = ProjectionQuery { source, as_of: self.as_of };
        Ok(self.engine.projection(&query).await?.expose_canonical())
    }

    /// Every stored event, without bodies in conflict.
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
