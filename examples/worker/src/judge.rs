//! Decides how tests reach what callers can't: the D1 binding, through a route that runs any statements, and the
//! reading of variables that a test provides. Only test builds contain this module.

use purchase::d1::{BatchKind, BindingExecutor, Cell, ExecuteError, Executor, Statement};
use serde::Deserialize;
use serde_json::json;
use worker::{Env, Request, Response, Result, js_sys::JSON, wasm_bindgen::JsCast};

use crate::{
    Failure,
    setup::{catalog, providers},
};

#[derive(Deserialize)]
struct Batch {
    access: String,
    statements: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    sql: String,
    params: Vec<Option<String>>,
}

/// Runs a batch on the database of a binding, and returns the rows or the kind of error.
pub(crate) async fn batch(request: &mut Request, env: &Env, binding: &str) -> Result<Response> {
    let asked: Batch = request.json().await?;
    let access = match asked.access.as_str() {
        "define" => BatchKind::Define,
        "read" => BatchKind::Read,
        _ => BatchKind::Write,
    };
    let statement = |it: Asked| {
        let params = it.params.into_iter().map(Cell).collect();
        Statement { name: "judged", sql: it.sql.into(), params }
    };
    let statements: Vec<Statement> = asked.statements.into_iter().map(statement).collect();
    let answer = match BindingExecutor::new(env.d1(binding)?).batch(access, &statements).await {
        Ok(results) => json!({ "results": texts(results) }),
        Err(ExecuteError::NotNull { place }) => json!({ "error": "not_null", "said": place }),
        Err(ExecuteError::Unique { place }) => json!({ "error": "unique", "said": place }),
        Err(error) => {
            let said = std::error::Error::source(&error).map(ToString::to_string);
            let kind = match error {
                ExecuteError::Busy { .. } => "busy",
                ExecuteError::Refused { .. } => "refused",
                ExecuteError::Unknown { .. } => "unknown",
                _ => "other",
            };
            json!({ "error": kind, "said": said })
        }
    };
    Response::from_json(&answer)
}

/// Reads an object as if it were the Worker's variables, and returns the resulting configuration or error.
pub(crate) async fn configured(request: &mut Request) -> std::result::Result<Response, Failure> {
    let variables = JSON::parse(&request.text().await?).map_err(worker::Error::from)?;
    let env: Env = variables.unchecked_into();
    let providers = providers(&env)?;
    let names: Vec<String> = providers.iter().map(|provider| provider.name().to_string()).collect();
    Ok(Response::from_json(&json!({ "catalog": catalog(&env)?, "providers": names }))?)
}

fn texts(results: Vec<Vec<Vec<Cell>>>) -> Vec<Vec<Vec<Option<String>>>> {
    let rows =
        |rows: Vec<Vec<Cell>>| rows.into_iter().map(|row| row.into_iter().map(|cell| cell.0).collect()).collect();
    results.into_iter().map(rows).collect()
}
