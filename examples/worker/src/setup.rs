//! Decides how the engine is built from the Worker's bindings: the database, after a check of its schema, and each
//! provider that has a secret.

use std::{cell::Cell, sync::Arc};

use purchase::{
    catalog::Catalog,
    d1::{BindingExecutor, BindingStore, TablePrefix},
    engine::{Engine, Settings},
    id::Mode,
    paddle::{CustomData, Paddle, PaddleConfig},
    provider::Provider,
    stripe::{ModePolicy, Stripe, StripeConfig},
};
use worker::{
    Env,
    js_sys::{JSON, Object, Reflect},
    wasm_bindgen::JsValue,
};

use crate::Failure;

thread_local! {
    /// Whether this instance of the Worker has already found the right schema. An instance has one thread, and a new
    /// build runs in new instances.
    static SCHEMA_IS_RIGHT: Cell<bool> = const { Cell::new(false) };
}

/// The store on the database of the binding `DB`. No request is sent to it yet.
pub(crate) fn store(env: &Env) -> Result<BindingStore, Failure> {
    let database = env.d1("DB").map_err(|fault| Failure::new(503, "no_database", fault))?;
    Ok(BindingStore::new(BindingExecutor::new(database), TablePrefix::default()))
}

/// The engine, on a database with the right schema. The schema is checked until it is right, and not again afterwards.
pub(crate) async fn engine(env: &Env, providers: Vec<Arc<dyn Provider>>) -> Result<Engine, Failure> {
    let settings = Settings { catalog: catalog(env)?, ..Settings::default() };
    let store = store(env)?;
    if !SCHEMA_IS_RIGHT.get() {
        store.check_schema().await?;
        SCHEMA_IS_RIGHT.set(true);
    }
    let engine = Engine::new(Arc::new(store)).with_settings(settings);
    Ok(providers.into_iter().fold(engine, Engine::with_provider))
}

/// Each provider that has a secret.
pub(crate) fn providers(env: &Env) -> Result<Vec<Arc<dyn Provider>>, Failure> {
    Ok([stripe(env)?, paddle(env)?].into_iter().flatten().collect())
}

/// The catalogue: a JSON text, or the object that Wrangler makes of a table.
pub(crate) fn catalog(env: &Env) -> Result<Catalog, Failure> {
    const NAME: &str = "CATALOG";
    let value = binding(env, NAME)?;
    // A service binding is an object as well, but not a plain one.
    let is_plain = value.is_object() && Object::from(value.clone()).constructor().name() == "Object";
    let text = match is_plain {
        true => JSON::stringify(&value).ok().and_then(|text| text.as_string()),
        false => variable(env, NAME)?,
    };
    let Some(text) = text else { return Ok(Catalog::default()) };
    serde_json::from_str(&text).map_err(|fault| Failure::new(503, "configuration", format!("{NAME}: {fault}")))
}

/// A variable or secret. An empty one counts as not set. One that isn't a text is an error, and never counts as not
/// set.
pub(crate) fn variable(env: &Env, name: &str) -> Result<Option<String>, Failure> {
    let value = binding(env, name)?;
    match value.as_string() {
        Some(text) => Ok((!text.is_empty()).then_some(text)),
        None if value.is_undefined() => Ok(None),
        None => {
            let kind = value.js_typeof().as_string().unwrap_or_default();
            let message = format!("{name} must be text, not {kind}; set it as a text or as a secret");
            Err(Failure::new(503, "configuration", message))
        }
    }
}

/// The value that is bound to a name, or undefined.
fn binding(env: &Env, name: &str) -> Result<JsValue, Failure> {
    Reflect::get(env, &name.into()).map_err(|_| Failure::new(503, "configuration", format!("{name} can't be read")))
}

fn stripe(env: &Env) -> Result<Option<Arc<dyn Provider>>, Failure> {
    let wrong = |fault: &dyn ToString| Failure::new(503, "configuration", format!("Stripe: {}", fault.to_string()));
    let Some(secrets) = variable(env, "STRIPE_WEBHOOK_SECRET")? else { return Ok(None) };
    let mode = match variable(env, "STRIPE_MODE")?.as_deref() {
        None => ModePolicy::Both,
        Some("live") => ModePolicy::Only(Mode::Live),
        Some("test") => ModePolicy::Only(Mode::Test),
        Some(_) => return Err(wrong(&"STRIPE_MODE must be live, test or unset")),
    };
    let config = StripeConfig::new(mode, secrets.split(',')).map_err(|fault| wrong(&fault))?;
    Ok(Some(Arc::new(Stripe::new(config).map_err(|fault| wrong(&fault))?)))
}

fn paddle(env: &Env) -> Result<Option<Arc<dyn Provider>>, Failure> {
    let wrong = |fault: &dyn ToString| Failure::new(503, "configuration", format!("Paddle: {}", fault.to_string()));
    let Some(secrets) = variable(env, "PADDLE_WEBHOOK_SECRET")? else { return Ok(None) };
    let mode = match variable(env, "PADDLE_MODE")?.as_deref() {
        Some("live") => Mode::Live,
        Some("test") => Mode::Test,
        _ => return Err(wrong(&"PADDLE_MODE must be live or test")),
    };
    let mut config = PaddleConfig::new(mode, secrets.split(',')).map_err(|fault| wrong(&fault))?;
    config.custom_data = match variable(env, "PADDLE_CUSTOM_DATA")?.as_deref() {
        None | Some("customers") => CustomData::Customers,
        Some("everywhere") => CustomData::Everywhere,
        Some(_) => return Err(wrong(&"PADDLE_CUSTOM_DATA must be customers or everywhere")),
    };
    Ok(Some(Arc::new(Paddle::new(config).map_err(|fault| wrong(&fault))?)))
}
