//! Decides whether two sources in one database stay separate when they use the same raw ids. The sources differ by
//! provider, account or mode. It also decides whether the application's customer ids stay separate from the provider's,
//! when the same text is an application id at one source and a provider id at the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use purchase_core::{
    delivery::Delivery,
    fact::{Fact, Link},
    id::{CustomerId, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source},
    provider::{Event, Meaning, Provider, Unreadable},
    verify::VerifiedDelivery,
};

use crate::{
    law::{
        Trial,
        provider::keeping::{facts_of, reading},
    },
    mutants::Mutation,
    replay::{self, later},
    rig::{Bench, Rig, Setup},
    schedule::{Schedule, shuffled},
    verdict::{Broken, Held, Verdict, ensure, ensure_equal},
    wrapped::Wrapped,
};

/// The header that marks a delivery as one of the other source.
const HEADER: &str = "kit-elsewhere";

/// How the other source differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    Account,
    Mode,
    Provider,
}

/// The ids that are swapped at the other source: there, a provider's customer has the application's id from here, and
/// the application's customer has the provider's.
#[derive(Debug, Clone, Default)]
struct Swap {
    owners: BTreeMap<CustomerId, CustomerId>,
    customers: BTreeMap<ProviderId, ProviderId>,
}

impl Swap {
    /// Pairs the ids of both kinds, repeating the shorter list as needed.
    fn of(owners: &BTreeSet<CustomerId>, customers: &BTreeSet<ProviderId>) -> Self {
        let texts = customers.iter().cycle().map(|id| CustomerId::new(id.expose()));
        let pairs = owners.iter().zip(texts).filter_map(|(owner, text)| Some((owner.clone(), text.ok()?)));
        let names = owners.iter().cycle().map(|id| ProviderId::new(id.as_str()));
        let back = customers.iter().zip(names).filter_map(|(customer, name)| Some((customer.clone(), name.ok()?)));
        Self { owners: pairs.collect(), customers: back.collect() }
    }

    fn customer(&self, id: &mut ProviderId) {
        if let Some(other) = self.customers.get(id) {
            id.clone_from(other);
        }
    }

    fn object(&self, object: &mut ObjectRef) {
        if object.kind == ObjectKind::Customer {
            self.customer(&mut object.id);
        }
    }

    fn fact(&self, fact: &mut Fact) {
        self.object(&mut fact.subject.root);
        if let Some(observation) = &mut fact.observation {
            self.object(&mut observation.object);
        }
        for link in &mut fact.links {
            match link {
                Link::Customer(id) => self.customer(id),
                Link::InferredOwner { owner, .. } | Link::Owner(owner) => {
                    if let Some(other) = self.owners.get(owner) {
                        owner.clone_from(other);
                    }
                }
                Link::Checkout(_)
                | Link::InferredOffer { .. }
                | Link::Invoice(_)
                | Link::Offer(_)
                | Link::Payment(_)
                | Link::Product(_)
                | Link::Subscription(_) => {}
            }
        }
    }
}

fn moved(source: &Source, apart: Apart, name: &ProviderName) -> Source {
    let mut source = source.clone();
    match apart {
        Apart::Account => source.account = ProviderId::new("acct_of_the_kit").ok(),
        Apart::Mode => {
            source.mode = match source.mode {
                Mode::Live | Mode::Simulated => Mode::Test,
                Mode::Test => Mode::Live,
            }
        }
        Apart::Provider => source.provider = name.clone(),
    }
    source
}

/// The same adapter under another name. It reads deliveries with the header as those of another source.
fn elsewhere(inner: Arc<dyn Provider>, apart: Apart, name: ProviderName, swap: Swap) -> Arc<dyn Provider> {
    let named = name.clone();
    let moved = move |source: &mut Source| *source = moved(source, apart, &named);
    let read = move |delivery: &VerifiedDelivery, mut reading: Result<Event, Unreadable>| {
        if delivery.delivery().headers.all(HEADER).next().is_none() {
            return reading;
        }
        match &mut reading {
            Ok(event) => {
                moved(&mut event.head.key.source);
                if let Meaning::Facts(facts) = &mut event.meaning {
                    for fact in facts {
                        moved(&mut fact.subject.source);
                        swap.fact(fact);
                    }
                }
            }
            Err(unreadable) => unreadable.head.iter_mut().for_each(|head| moved(&mut head.key.source)),
        }
        reading
    };
    Arc::new(Wrapped { name, read: Box::new(read), ..Wrapped::new(inner) })
}

pub(crate) async fn sources_stay_apart(trial: &Trial) -> Verdict {
    stay_apart(trial, "P23", false).await
}

/// Whether the scenario involves a customer of either kind.
pub(crate) fn is_about_somebody(trial: &Trial) -> bool {
    let signed = trial.rig.sign(&trial.scenario);
    // A scenario that can't be signed or read is judged too, so that the report shows the failure.
    signed
        .and_then(|signed| Ids::of(trial, &signed))
        .map_or(true, |ids| !(ids.owners.is_empty() && ids.customers.is_empty()))
}

/// Swaps the ids of both kinds of customers at the other source. Also checks, for one source alone, that asking for a
/// provider's id as an application's id finds nobody.
pub(crate) async fn namespaces_stay_apart(trial: &Trial) -> Verdict {
    let alone = asked_for_the_wrong_kind(trial).await?;
    let beside = stay_apart(trial, "P24", true).await?;
    Ok(Held { checks: alone.checks + beside.checks })
}

async fn asked_for_the_wrong_kind(trial: &Trial) -> Verdict {
    let signed = trial.rig.sign(&trial.scenario)?;
    let ids = Ids::of(trial, &signed)?;
    let bench = trial.rig.bench(&trial.scenario).await?;
    let outcome = replay::play(&bench, &trial.scenario, &signed, &Schedule::in_order(signed.len())).await?;
    let owners: BTreeSet<&str> = ids.owners.iter().map(CustomerId::as_str).collect();
    let mut checks = 0;
    for id in ids.customers.iter().filter(|id| !owners.contains(id.expose())) {
        let Ok(text) = CustomerId::new(id.expose()) else { continue };
        let found = bench.engine.customer(&text, trial.scenario.as_of).await?;
        ensure(found.is_empty() && outcome.projection["entitlements"].get(id.expose()).is_none(), || {
            "looking up a provider's customer id as an application's customer id finds a customer".to_owned()
        })?;
        checks += 1;
    }
    Ok(Held { checks })
}

/// The customers in a scenario.
struct Ids {
    sources: BTreeSet<Source>,
    owners: BTreeSet<CustomerId>,
    customers: BTreeSet<ProviderId>,
}

impl Ids {
    /// Reads the ids as a correct system does.
    fn of(trial: &Trial, signed: &[Delivery]) -> Result<Self, Broken> {
        let right = Trial { rig: Rig { mutation: Mutation::None, ..trial.rig.clone() }, ..trial.clone() };
        let mut ids = Self { sources: BTreeSet::new(), owners: BTreeSet::new(), customers: BTreeSet::new() };
        for delivery in signed {
            let Ok(event) = reading(&right, delivery)? else { continue };
            ids.sources.insert(event.head.key.source.clone());
            for fact in facts_of(&event) {
                let root = Some(&fact.subject.root).filter(|root| root.kind == ObjectKind::Customer);
                ids.customers.extend(root.map(|root| root.id.clone()));
                for link in &fact.links {
                    match link {
                        Link::Customer(id) => {
                            ids.customers.insert(id.clone());
                        }
                        Link::InferredOwner { owner, .. } | Link::Owner(owner) => {
                            ids.owners.insert(owner.clone());
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(ids)
    }
}

async fn stay_apart(trial: &Trial, law: &str, swapped: bool) -> Verdict {
    let here = trial.rig.sign(&trial.scenario)?;
    // The reference for one source alone comes from a correct system.
    let right = Trial { rig: Rig { mutation: Mutation::None, ..trial.rig.clone() }, ..trial.clone() };
    let Ids { sources, owners, customers } = Ids::of(trial, &here)?;
    let swap = if swapped { Swap::of(&owners, &customers) } else { Swap::default() };
    let texts = customers.iter().filter_map(|id| CustomerId::new(id.expose()).ok());
    let asked: BTreeSet<CustomerId> = owners.iter().cloned().chain(texts).collect();
    let mut random = trial.random(law);
    let mut checks = 0;
    for apart in [Apart::Account, Apart::Mode, Apart::Provider] {
        let name = match apart {
            Apart::Provider => format!("{}-elsewhere", trial.rig.provider.name),
            Apart::Account | Apart::Mode => trial.rig.provider.name.to_owned(),
        };
        let name = ProviderName::new(name).map_err(|error| Broken::caused("a name of the kit", &error))?;
        let others: BTreeSet<Source> = sources.iter().map(|source| moved(source, apart, &name)).collect();
        // If a scenario already contains both sources, there is no third one to add.
        if !sources.is_disjoint(&others) {
            continue;
        }
        let there: Vec<Delivery> = here
            .iter()
            .map(|delivery| {
                let mut headers = delivery.headers.clone();
                headers.push(HEADER, "1");
                Delivery { provider: name.clone(), headers, ..delivery.clone() }
            })
            .collect();
        let both = [here.as_slice(), there.as_slice()].concat();
        let view = View { trial, apart, name: &name, swap: &swap, asked: &asked };
        let (mut alone, mut snapshots) = (Vec::new(), Vec::new());
        for (sources, deliveries) in [(&sources, &here), (&others, &there)] {
            let bench = view.play(&right, deliveries, &Schedule::in_order(deliveries.len())).await?;
            snapshots.extend(view.snapshots(&bench).await?);
            for source in sources {
                alone.push((source, bench.projection_of(Some(source.clone())).await?));
            }
        }
        snapshots.sort();
        for _ in 0..(trial.effort.samples / 100).max(1) {
            let schedule = Schedule::one_by_one(shuffled(both.len(), &mut random)).decorated(&mut random);
            let bench = view.play(trial, &both, &schedule).await?;
            let place = |broken: Broken| broken.context(&format!("with a source that differs in its {apart:?}"));
            for (source, projection) in &alone {
                let found = bench.projection_of(Some((*source).clone())).await?;
                ensure_equal(projection, &found, "with another source").map_err(place)?;
                checks += 1;
            }
            let mut shown = view.snapshots(&bench).await?;
            shown.sort();
            ensure(snapshots == shown, || "the customers' snapshots differ from those of one source alone".to_owned())
                .map_err(place)?;
        }
    }
    Ok(Held { checks })
}

/// What the law compares.
struct View<'a> {
    trial: &'a Trial,
    apart: Apart,
    name: &'a ProviderName,
    swap: &'a Swap,
    /// The ids to ask for, as customers of the application.
    asked: &'a BTreeSet<CustomerId>,
}

impl View<'_> {
    /// Plays the deliveries of one or both sources on a fresh store.
    async fn play(&self, trial: &Trial, deliveries: &[Delivery], schedule: &Schedule) -> Result<Bench, Broken> {
        let (apart, name, swap) = (self.apart, self.name.clone(), self.swap.clone());
        let beside = move |inner: Arc<dyn Provider>| {
            let elsewhere = elsewhere(Arc::clone(&inner), apart, name, swap);
            match apart {
                Apart::Account | Apart::Mode => vec![elsewhere],
                Apart::Provider => vec![inner, elsewhere],
            }
        };
        let bench = trial.rig.bench_of(Setup { beside: Some(Box::new(beside)), ..Setup::of(&trial.scenario) }).await?;
        let mut sent = 0;
        for batch in schedule.batches() {
            let batch = batch.iter().map(|index| (*index, later(&deliveries[*index], sent.min(200)))).collect();
            sent += replay::send(bench.receiver.as_ref(), batch).await?.len();
        }
        Ok(bench)
    }

    /// The snapshots of every customer, as JSON. They contain public ids, which differ between two accounts.
    async fn snapshots(&self, bench: &Bench) -> Result<Vec<String>, Broken> {
        let mut snapshots = Vec::new();
        for customer in self.asked {
            for snapshot in bench.engine.customer(customer, self.trial.scenario.as_of).await? {
                let json = serde_json::to_string(&snapshot);
                snapshots.push(json.map_err(|error| Broken::caused("a snapshot is not JSON", &error))?);
            }
        }
        Ok(snapshots)
    }
}
