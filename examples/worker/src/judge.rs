//! Decides how the kit reaches the binding: a route that runs any statements, in builds for tests alone.

use purchase::d1::BindingExecutor;
use worker::{Env, Request, Response, Result};

/// Runs a batch, and answers rows, or the kind of its error.
pub(crate) async fn batch(request: &mut Request, env: &Env) -> Result<Response> {
    let asked: serde_json::Value = request.json().await?;
    drop(BindingExecutor::new(env.d1("DB")?));
    Response::from_json(&asked)
}
