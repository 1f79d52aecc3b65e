//! Decides whether two sources in one database stay apart: another provider, another account, another mode, with the
//! same raw ids.

use std::{collections::BTreeSet, sync::Arc};

use purchase_core::{
    capability::Capabilities,
    delivery::{Delivery, Headers, Limits},
    fact::Link,
    id::{CustomerId, Mode, ProviderId, ProviderName, Source},
    provider::{Event, EventHead, Meaning, Provider, Unreadable},
    verify::{SignatureClaim, SignatureError, Trust, VerifiedDelivery},
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
};

/// The header that says that a delivery is of the other source.
const HEADER: &str = "kit-elsewhere";

/// How the other source differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    Account,
    Mode,
    Provider,
}

/// The adapter again, of which some deliveries are of another source.
struct Elsewhere {
    inner: Arc<dyn Provider>,
    name: ProviderName,
    apart: Apart,
}

impl Elsewhere {
    fn head(&self, mut head: EventHead) -> EventHead {
        head.key.source = moved(&head.key.source, self.apart, &self.name);
        head
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

impl Provider for Elsewhere {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn trust(&self) -> &Trust {
        self.inner.trust()
    }

    fn claim(&self, headers: &Headers, limits: &Limits) -> Result<SignatureClaim, SignatureError> {
        self.inner.claim(headers, limits)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        let read = self.inner.read(delivery);
        if delivery.delivery().headers.all(HEADER).next().is_none() {
            return read;
        }
        let read = read.map(|event| {
            let meaning = match event.meaning {
                Meaning::Facts(mut facts) => {
                    let source = |source: &Source| moved(source, self.apart, &self.name);
                    facts.iter_mut().for_each(|fact| fact.subject.source = source(&fact.subject.source));
                    Meaning::Facts(facts)
                }
                meaning => meaning,
            };
            Event { head: self.head(event.head), meaning, remarks: event.remarks }
        });
        read.map_err(|unreadable| Unreadable { head: unreadable.head.map(|head| self.head(head)), ..unreadable })
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        self.inner.same_content(one, other)
    }
}

pub(crate) async fn sources_stay_apart(trial: &Trial) -> Verdict {
    let here = trial.rig.sign(&trial.scenario)?;
    // What is right alone is asked of a right system.
    let right = Trial { rig: Rig { mutation: Mutation::None, ..trial.rig.clone() }, ..trial.clone() };
    let mut sources = BTreeSet::new();
    let mut customers = BTreeSet::new();
    for delivery in &here {
        let Ok(event) = reading(&right, delivery)? else { continue };
        sources.insert(event.head.key.source.clone());
        let links = facts_of(&event).iter().flat_map(|fact| &fact.links);
        customers.extend(links.filter_map(|link| if let Link::Owner(id) = link { Some(id.clone()) } else { None }));
    }
    let mut random = trial.random("P23");
    let mut checks = 0;
    for apart in [Apart::Account, Apart::Mode, Apart::Provider] {
        let name = match apart {
            Apart::Provider => format!("{}-elsewhere", trial.rig.provider.name),
            Apart::Account | Apart::Mode => trial.rig.provider.name.to_owned(),
        };
        let name = ProviderName::new(name).map_err(|error| Broken::caused("a name of the kit", &error))?;
        let others: BTreeSet<Source> = sources.iter().map(|source| moved(source, apart, &name)).collect();
        // Where a scenario has both already, there is no third.
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
        let view = View { trial, apart, name: &name, customers: &customers };
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
            let place = |broken: Broken| broken.context(&format!("beside a source that differs in its {apart:?}"));
            for (source, projection) in &alone {
                let found = bench.projection_of(Some((*source).clone())).await?;
                ensure_equal(projection, &found, "beside another").map_err(place)?;
                checks += 1;
            }
            let mut shown = view.snapshots(&bench).await?;
            shown.sort();
            ensure(snapshots == shown, || "the customers' snapshots are others than alone".to_owned())
                .map_err(place)?;
        }
    }
    Ok(Held { checks })
}

/// What is looked at.
struct View<'a> {
    trial: &'a Trial,
    apart: Apart,
    name: &'a ProviderName,
    customers: &'a BTreeSet<CustomerId>,
}

impl View<'_> {
    /// Plays deliveries of one or of both sources on a fresh store.
    async fn play(&self, trial: &Trial, deliveries: &[Delivery], schedule: &Schedule) -> Result<Bench, Broken> {
        let (apart, name) = (self.apart, self.name.clone());
        let beside = move |inner: Arc<dyn Provider>| {
            let elsewhere: Arc<dyn Provider> = Arc::new(Elsewhere { inner: Arc::clone(&inner), name, apart });
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

    /// The snapshots of every customer, as JSON. Those of two accounts are told apart by the public ids in them.
    async fn snapshots(&self, bench: &Bench) -> Result<Vec<String>, Broken> {
        let mut snapshots = Vec::new();
        for customer in self.customers {
            for snapshot in bench.engine.customer(customer, self.trial.scenario.as_of).await? {
                let json = serde_json::to_string(&snapshot);
                snapshots.push(json.map_err(|error| Broken::caused("a snapshot is no JSON", &error))?);
            }
        }
        Ok(snapshots)
    }
}
