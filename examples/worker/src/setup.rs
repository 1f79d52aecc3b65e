//! Decides what of the Worker's bindings becomes the engine: the database, and each provider whose secret is there.

use std::sync::Arc;

use purchase::{
    catalog::Catalog,
    d1::{BindingExecutor, BindingStore, TablePrefix},
    engine::{Engine, Settings},
    id::Mode,
    paddle::{CustomData, Paddle, PaddleConfig},
    provider::Provider,
    stripe::{ModePolicy, Stripe, StripeConfig},
};
use worker::Env;

use crate::Failure;

/// The store on the database that is bound as `DB`.
pub(crate) fn store(env: &Env) -> Result<BindingStore, Failure> {
    let database = env.d1("DB").map_err(|fault| Failure::new(503, "no_database", fault))?;
    Ok(BindingStore::new(BindingExecutor::new(database), TablePrefix::default()))
}

/// The engine. Nothing is asked of the database yet.
pub(crate) fn engine(env: &Env) -> Result<Engine, Failure> {
    let settings = Settings { catalog: catalog(env)?, ..Settings::default() };
    let engine = Engine::new(Arc::new(store(env)?)).with_settings(settings);
    let providers = [stripe(env)?, paddle(env)?];
    Ok(providers.into_iter().flatten().fold(engine, Engine::with_provider))
}

fn catalog(env: &Env) -> Result<Catalog, Failure> {
    let Some(text) = variable(env, "CATALOG") else { return Ok(Catalog::default()) };
    serde_json::from_str(&text).map_err(|fault| Failure::new(503, "configuration", format!("CATALOG: {fault}")))
}

/// A variable or secret; an empty one counts as not set.
pub(crate) fn variable(env: &Env, name: &str) -> Option<String> {
    let value = env.var(name).ok()?.to_string();
    (!value.is_empty()).then_some(value)
}

fn stripe(env: &Env) -> Result<Option<Arc<dyn Provider>>, Failure> {
    let wrong = |fault: &dyn ToString| Failure::new(503, "configuration", format!("Stripe: {}", fault.to_string()));
    let Some(secrets) = variable(env, "STRIPE_WEBHOOK_SECRET") else { return Ok(None) };
    let mode = match variable(env, "STRIPE_MODE").as_deref() {
        None => ModePolicy::Both,
        Some("live") => ModePolicy::Only(Mode::Live),
        Some("test") => ModePolicy::Only(Mode::Test),
        Some(_) => return Err(wrong(&"STRIPE_MODE is live, test, or not set")),
    };
    let config = StripeConfig::new(mode, secrets.split(',')).map_err(|fault| wrong(&fault))?;
    Ok(Some(Arc::new(Stripe::new(config).map_err(|fault| wrong(&fault))?)))
}

fn paddle(env: &Env) -> Result<Option<Arc<dyn Provider>>, Failure> {
    let wrong = |fault: &dyn ToString| Failure::new(503, "configuration", format!("Paddle: {}", fault.to_string()));
    let Some(secrets) = variable(env, "PADDLE_WEBHOOK_SECRET") else { return Ok(None) };
    let mode = match variable(env, "PADDLE_MODE").as_deref() {
        Some("live") => Mode::Live,
        Some("test") => Mode::Test,
        _ => return Err(wrong(&"PADDLE_MODE is live or test")),
    };
    let mut config = PaddleConfig::new(mode, secrets.split(',')).map_err(|fault| wrong(&fault))?;
    config.custom_data = match variable(env, "PADDLE_CUSTOM_DATA").as_deref() {
        None | Some("customers") => CustomData::Customers,
        Some("everywhere") => CustomData::Everywhere,
        Some(_) => return Err(wrong(&"PADDLE_CUSTOM_DATA is customers or everywhere")),
    };
    Ok(Some(Arc::new(Paddle::new(config).map_err(|fault| wrong(&fault))?)))
}
