//! Decides whether two providers with the same story lead to the same result: the same entitlements and the same
//! subscriptions. Ids, prices and the providers' words may differ.

use std::collections::{BTreeMap, BTreeSet};

use purchase_core::{
    catalog::Catalog, engine::ProjectionQuery, fact::Link, id::CustomerId, snapshot::Projection, time::Timestamp,
};
use serde_json::{Map, Value, json};

use crate::{
    counterpart::Counterpart,
    law::{
        Effort,
        provider::keeping::{facts_of, reading_by},
    },
    mutants::Mutation,
    replay,
    rig::Rig,
    schedule::{Schedule, random_of, shuffled},
    under_test::StoreUnderTest,
    verdict::{Broken, Held, Verdict, ensure, first_difference},
};

/// One counterpart on one store.
#[derive(Debug, Clone)]
pub struct CounterpartTrial {
    /// The scenarios of each provider.
    pub counterpart: Counterpart,
    /// The store.
    pub store: StoreUnderTest,
    /// The mutation, if any. It applies to the last side only: if all sides were broken alike, they would still agree.
    pub mutation: Mutation,
    /// How many schedules are tried.
    pub effort: Effort,
    /// The seed of every random choice.
    pub seed: u64,
}

/// What is compared, at each instant.
type Story = BTreeMap<Timestamp, Value>;

pub(crate) async fn same_story(trial: &CounterpartTrial) -> Verdict {
    let sides = &trial.counterpart.sides;
    let customers = customers(trial)?;
    ensure(!customers.is_empty(), || "no scenario names a customer of the application".to_owned())?;
    let times: BTreeSet<Timestamp> =
        sides.iter().map(|(_, scenario)| scenario.as_of).chain(trial.counterpart.at.iter().copied()).collect();
    let mut first: Option<Story> = None;
    let mut checks = 0;
    for (nth, (provider, scenario)) in sides.iter().enumerate() {
        let rig = rig(trial, nth);
        let signed = rig.sign(scenario)?;
        let mut random = random_of(trial.seed, &format!("P11/{}/{}", trial.counterpart.name, provider.name));
        let mut schedules = vec![Schedule::in_order(signed.len())];
        for _ in 0..(trial.effort.samples / 40).clamp(2, 5) {
            schedules.push(Schedule::one_by_one(shuffled(signed.len(), &mut random)).decorated(&mut random));
        }
        for schedule in schedules {
            let bench = rig.bench(scenario).await?;
            replay::play(&bench, scenario, &signed, &schedule).await?;
            let mut story = Story::new();
            for as_of in &times {
                let projection = bench.engine.projection(&ProjectionQuery { source: None, as_of: *as_of }).await?;
                story.insert(*as_of, told(&projection, &scenario.catalog, &customers));
            }
            let expected = first.get_or_insert_with(|| story.clone());
            compare(expected, &story, (sides[0].0.name, provider.name)).map_err(|broken| {
                let numbers: Vec<u32> = scenario.deliveries.iter().map(|delivery| delivery.number).collect();
                broken.context(&format!(
                    "{}/{} in the order {}",
                    provider.name,
                    scenario.name,
                    schedule.written(&numbers)
                ))
            })?;
            checks += 1;
        }
    }
    let says_something = |story: &Story| story.values().any(|it| *it != Value::Object(Map::new()));
    ensure(first.as_ref().is_some_and(says_something), || {
        "no customer of the application has an entitlement or a subscription, so there is nothing to compare".to_owned()
    })?;
    Ok(Held { checks })
}

fn rig(trial: &CounterpartTrial, nth: usize) -> Rig {
    let last = nth + 1 == trial.counterpart.sides.len();
    let mutation = if last { trial.mutation } else { Mutation::None };
    Rig { provider: trial.counterpart.sides[nth].0, store: trial.store.clone(), mutation }
}

/// Every customer of the application that any of the scenarios names.
fn customers(trial: &CounterpartTrial) -> Result<BTreeSet<CustomerId>, Broken> {
    let mut customers = BTreeSet::new();
    for (nth, (_, scenario)) in trial.counterpart.sides.iter().enumerate() {
        let rig = Rig { mutation: Mutation::None, ..rig(trial, nth) };
        let adapter = rig.adapter(&[&scenario.secret], None)?;
        for delivery in rig.sign(scenario)? {
            let Ok(event) = reading_by(adapter.as_ref(), &delivery)? else { continue };
            let links = facts_of(&event).iter().flat_map(|fact| &fact.links);
            customers.extend(links.filter_map(|link| if let Link::Owner(id) = link { Some(id.clone()) } else { None }));
        }
    }
    Ok(customers)
}

/// The part of the projection that two counterparts must agree on for each customer: entitlements without their
/// sources, subscriptions without their ids. A customer who has nothing is left out.
fn told(projection: &Projection, catalog: &Catalog, customers: &BTreeSet<CustomerId>) -> Value {
    let canonical = projection.expose_canonical();
    let mut owners = BTreeMap::new();
    for customer in projection.rows().flat_map(|rows| &rows.customers) {
        owners.extend(customer.owner.as_deref().map(|owner| (customer.id.as_str(), owner)));
    }
    let mut subscriptions: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for row in projection.rows().flat_map(|rows| &rows.subscriptions) {
        let through = || row.customer.as_deref().and_then(|customer| owners.get(customer).copied());
        if let Some(owner) = row.owner.as_deref().or_else(through) {
            let shown = subscription(&canonical["subscriptions"][&row.id], catalog);
            subscriptions.entry(owner).or_default().push(shown);
        }
    }
    let mut told = Map::new();
    for customer in customers {
        let name = customer.as_str();
        let mut entitlements = canonical["entitlements"][name].clone();
        for benefit in entitlements.as_object_mut().into_iter().flat_map(Map::values_mut) {
            benefit.as_object_mut().map(|it| it.remove("sources"));
        }
        let mut list = subscriptions.remove(name).unwrap_or_default();
        list.sort_by_key(Value::to_string);
        // Keyed by position, so that a difference names the exact field.
        let list: BTreeMap<usize, Value> = list.into_iter().enumerate().collect();
        if !(entitlements.is_null() && list.is_empty()) {
            told.insert(name.to_owned(), json!({ "entitlements": entitlements, "subscriptions": list }));
        }
    }
    Value::Object(told)
}

fn subscription(canonical: &Value, catalog: &Catalog) -> Value {
    let mut quantities: BTreeMap<&str, Value> = BTreeMap::new();
    for (price, quantity) in canonical["items"].as_object().into_iter().flatten() {
        let sum = quantities.entry(catalog.benefit(price)).or_insert(Value::Null);
        *sum = match (sum.as_i64(), quantity.as_i64()) {
            (Some(one), Some(other)) => json!(one.saturating_add(other)),
            (None, _) => quantity.clone(),
            (Some(one), None) => json!(one),
        };
    }
    let mut shown = json!({ "quantities": quantities });
    // After the end, some providers keep the last period and what was scheduled, and others drop both.
    let ended = !canonical["ended_at"].is_null();
    for field in ["state", "current_period", "trial_end", "cancel_at", "ended_at"] {
        if !(ended && matches!(field, "current_period" | "cancel_at")) {
            shown[field] = canonical[field].clone();
        }
    }
    shown
}

fn compare(expected: &Story, found: &Story, (one, other): (&str, &str)) -> Result<(), Broken> {
    for ((as_of, expected), found) in expected.iter().zip(found.values()) {
        if let Some((at, expected, found)) = first_difference("", expected, found) {
            return Err(Broken::new(format!("as of {as_of} at {at}: {one} {expected}, {other} {found}")));
        }
    }
    Ok(())
}
