//! Holds the laws that apply only to stores that use SQL.

use std::sync::Arc;

use purchase_core::store::{Conflict, NewEvent};

use crate::{
    fault::StatementFault,
    law::{
        StoreTrial,
        store::{
            material::{self, commit, event, subject},
            promises::contents,
        },
    },
    mutants::Mutation,
    schedule::Schedule,
    under_test::Sql,
    verdict::{Broken, Held, Verdict, ensure},
};

/// An upper limit: no commit has this many statements.
const STATEMENTS: usize = 500;

fn sql(trial: &StoreTrial) -> Result<&Arc<dyn Sql>, Broken> {
    trial.store.sql.as_ref().ok_or_else(|| Broken::new("the store uses no SQL"))
}

pub(crate) async fn failure_leaves_nothing(trial: &StoreTrial) -> Verdict {
    let sub = subject("sub_1")?;
    let first = commit(1, &sub, &[], 0)?;
    let mut second = commit(2, &sub, &first.facts, 1)?;
    let contradicting = NewEvent { body: b"{}".to_vec(), digest: [7; 32], ..event(1)? };
    second.conflicts.push(Conflict { event: contradicting });
    for after in 0..STATEMENTS {
        let fault = Arc::new(match trial.mutation {
            Mutation::Executor => StatementFault::torn(),
            _ => StatementFault::default(),
        });
        let fresh = sql(trial)?
            .faulty(Arc::clone(&fault))
            .await
            .map_err(|error| Broken::caused("the store can't be opened", error.as_ref()))?;
        let store = fresh.store.as_ref();
        store.commit(&first).await.map_err(|error| Broken::caused("a commit", &error))?;
        let before = contents(store).await?;
        fault.arm(after);
        let answer = store.commit(&second).await;
        if !fault.disarm() {
            answer.map_err(|error| Broken::caused("an undisturbed commit", &error))?;
            ensure(after > 1, || format!("a commit took {after} statements"))?;
            return Ok(Held { checks: after as u64 });
        }
        ensure(answer.is_err(), || format!("it failed after statement {after}, but was reported as successful"))?;
        ensure(contents(store).await? == before, || format!("it failed after statement {after}, but wrote something"))?;
        let again = store.commit(&second).await;
        ensure(again.is_ok(), || format!("it failed after statement {after}, and a second commit failed too"))?;
    }
    Err(Broken::new(format!("a commit has more than {STATEMENTS} statements")))
}

pub(crate) async fn statements_prepare(trial: &StoreTrial) -> Verdict {
    let prepared = sql(trial)?
        .prepare_all(matches!(trial.mutation, Mutation::Statement))
        .await
        .map_err(|error| Broken::caused("a statement can't be prepared", error.as_ref()))?;
    ensure(prepared > 0, || "the store has no statements".to_owned())?;
    Ok(Held { checks: prepared as u64 })
}

pub(crate) async fn rebuild_restores(trial: &StoreTrial) -> Verdict {
    let unreadable = |error: purchase_core::error::Cause| Broken::caused("the read model", error.as_ref());
    let mut checks = 0;
    for scenario in material::scenarios() {
        let model = sql(trial)?.readable().await.map_err(unreadable)?;
        let engine = material::engine(trial.mutation.store(model.store()), &scenario)?;
        let schedule = Schedule::one_by_one((0..scenario.deliveries.len()).rev());
        material::play(&engine, trial, &scenario, &schedule).await?;
        let before = model.dump().await.map_err(unreadable)?;
        model.tamper().await.map_err(unreadable)?;
        let tampered = model.dump().await.map_err(unreadable)?;
        ensure(tampered != before, || format!("{}: tampering changed nothing", scenario.name))?;
        engine.rebuild().await?;
        let after = model.dump().await.map_err(unreadable)?;
        ensure(after == before, || {
            let lines = before.lines().zip(after.lines());
            let differs = lines.into_iter().find(|(before, after)| before != after);
            match differs {
                Some((before, after)) => format!("{}: before {before}, rebuilt {after}", scenario.name),
                None => format!(
                    "{}: {} lines before, {} rebuilt",
                    scenario.name,
                    before.lines().count(),
                    after.lines().count()
                ),
            }
        })?;
        checks += 1;
    }
    Ok(Held { checks })
}
