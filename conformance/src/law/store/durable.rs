//! Holds the laws that apply only to stores that outlive their process.

use std::sync::Arc;

use async_trait::async_trait;
use purchase_core::{
    error::{Cause, StoreError},
    store::{Store, memory::MemoryStore},
};

use crate::{
    law::{
        StoreTrial,
        store::{material, promises::contents},
    },
    mutants::Mutation,
    schedule::Schedule,
    under_test::{Place, Schema},
    verdict::{Broken, Held, Verdict, ensure, ensure_equal},
};

async fn place(trial: &StoreTrial) -> Result<Box<dyn Place>, Broken> {
    let durable = trial.store.durable.as_ref().ok_or_else(|| Broken::new("the store doesn't outlive its process"))?;
    if let Mutation::Place = trial.mutation {
        return Ok(Box::new(Forgetful));
    }
    durable.place().await.map_err(|error| Broken::caused("no place for a store can be made", error.as_ref()))
}

/// The place of the mutant, which keeps nothing.
struct Forgetful;

#[async_trait]
impl Place for Forgetful {
    async fn open(&mut self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(MemoryStore::new()))
    }

    async fn spoil_schema(&mut self, _: Schema) -> Result<(), Cause> {
        Ok(())
    }
}

pub(crate) async fn survives_reopening(trial: &StoreTrial) -> Verdict {
    let mut checks = 0;
    for scenario in material::scenarios() {
        let mut place = place(trial).await?;
        let half = scenario.deliveries.len() / 2;
        let all = scenario.deliveries.len();
        let engine = material::engine(place.open().await?, &scenario)?;
        let before = material::play(&engine, trial, &scenario, &Schedule::one_by_one(0..half)).await?;
        let stored = contents(engine.store().as_ref()).await?;
        drop(engine);

        let engine = material::engine(place.open().await?, &scenario)?;
        let after = material::projection(&engine, &scenario).await?;
        ensure_equal(&before, &after, "after reopening").map_err(|broken| broken.context(&scenario.name))?;
        ensure(contents(engine.store().as_ref()).await? == stored, || {
            format!("{}: events, facts or subjects differ after reopening", scenario.name)
        })?;
        let end = material::play(&engine, trial, &scenario, &Schedule::one_by_one(half..all)).await?;
        drop(engine);
        let engine = material::engine(place.open().await?, &scenario)?;
        let again = material::projection(&engine, &scenario).await?;
        ensure_equal(&end, &again, "after reopening").map_err(|broken| broken.context(&scenario.name))?;
        checks += 2;
    }
    Ok(Held { checks })
}

pub(crate) async fn schema_is_checked(trial: &StoreTrial) -> Verdict {
    for schema in [Schema::Missing, Schema::Newer, Schema::Older] {
        let mut place = place(trial).await?;
        drop(place.open().await?);
        place
            .spoil_schema(schema)
            .await
            .map_err(|error| Broken::caused("the schema can't be spoiled", error.as_ref()))?;
        let answer = place.open().await.err();
        let right = matches!(
            (schema, &answer),
            (Schema::Missing, Some(StoreError::SchemaMissing { .. }))
                | (Schema::Newer, Some(StoreError::SchemaNewer { .. }))
                | (Schema::Older, Some(StoreError::SchemaOlder { .. }))
        );
        ensure(right, || {
            let code = answer.as_ref().map_or("opened", StoreError::code);
            format!("opening a store with a schema that is {schema:?} gives: {code}")
        })?;
    }
    Ok(Held { checks: 3 })
}
