//! Random lifecycles, told by the emulated Paddle: the adapter must come to what the story says, and to what the world
//! says of itself.

use std::sync::Arc;

use purchase_conformance::{
    Endpoint, StoreUnderTest,
    mutants::{MUTANTS, Mutation},
    rig::Rig,
    story::{Budget, Properties, Story, Teller, hold},
    under_test::memory,
    verdict::Broken,
};
use purchase_core::{
    delivery::Delivery,
    engine::{Engine, ProjectionQuery},
    store::memory::MemoryStore,
};
use purchase_emulator::{draw::Draw, lifecycles, world::Outgoing};
use purchase_emulator_paddle::{Account, account::Oddities};

use crate::{
    common::{SECRET, Shop},
    documents::walk,
    script::{Script, play},
    sqlite_under_test, under_test,
};

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt");

fn check(property: impl FnOnce(&Properties<'_>) -> Result<(), String>) {
    let script = Script::default();
    let properties = Properties { provider: under_test::under_test(), teller: &script, regressions: REGRESSIONS };
    if let Err(told) = property(&properties) {
        panic!("{told}");
    }
}

#[test]
fn the_true_order_ends_as_the_story_does() {
    check(|it| it.truth());
}

#[test]
fn every_order_ends_where_the_true_one_does() {
    check(|it| it.any_order());
}

#[test]
fn every_way_to_fold_ends_the_same() {
    check(|it| it.any_fold());
}

#[test]
fn nothing_is_told_twice_and_nothing_is_left_open() {
    check(|it| it.once_and_whole());
}

/// Each of these readers is wrong in one way, and at least one story detects it.
#[test]
fn broken_systems_are_found() {
    for mutant in ["last-arrival-wins", "drops-orphans", "drops-links"] {
        check(|properties| properties.finds(mutant));
    }
}

/// The deliveries as they go out, with their own signatures, lead to what the world says is true.
#[test]
fn the_projection_is_what_the_world_says() {
    let script = Script::default();
    let budget = Budget { cases: 96, wishes: 36, simpler: 500, regressions: Some(REGRESSIONS) };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let compare = |story: &Story| {
        let played = play(story);
        let found = runtime.block_on(differences(&played.shop, &played.sent)).map_err(Broken::new)?;
        if found.is_empty() { Ok(()) } else { Err(Broken::new(found.join("\n"))) }
    };
    if let Err(told) = hold(budget, |step| script.can(step), compare) {
        panic!("{told}");
    }
}

/// Stories have no invoices, no warnings, and no 3-D Secure.
#[test]
fn the_projection_of_a_walk_through_all_calls_is_what_the_world_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for oddities in [Oddities::default(), Oddities::all(50), Oddities::all(100)] {
        let mut shop = Shop::new(11, Account { oddities, ..Account::default() });
        let mut sent = walk(&mut shop);
        assert_eq!(runtime.block_on(differences(&shop, &sent)), Ok(Vec::new()));
        sent.reverse();
        assert_eq!(runtime.block_on(differences(&shop, &sent)), Ok(Vec::new()), "reversed");
        let mut draw = Draw::new(11);
        for count in (1..sent.len()).rev() {
            let place = draw.below(count as u64 + 1);
            sent.swap(count, usize::try_from(place).expect("small"));
        }
        assert_eq!(runtime.block_on(differences(&shop, &sent)), Ok(Vec::new()), "shuffled");
    }
}

/// How the adapter's projection of deliveries differs from what the world says.
async fn differences(shop: &Shop, sent: &[Outgoing]) -> Result<Vec<String>, String> {
    let provider = under_test::under_test();
    let endpoint = Endpoint { secrets: &[SECRET], tolerance_seconds: Some(5), mode: None };
    let adapter = (provider.build)(&endpoint).map_err(|error| error.to_string())?;
    let name = adapter.name().clone();
    let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(adapter);
    let now = shop.world.now();
    for it in sent {
        let (headers, body) = (it.headers.clone(), it.body.clone());
        let delivery = Delivery { provider: name.clone(), headers, body, received_at: now };
        engine.handle(delivery).await.map_err(|refusal| format!("{}: {refusal}", it.event_type))?;
    }
    let query = ProjectionQuery { source: None, as_of: now };
    let projection = engine.projection(&query).await.map_err(|error| error.to_string())?;
    let found = shop.world.truth().differences(&projection.expose_canonical(), &[]);
    Ok(found.iter().map(ToString::to_string).collect())
}

/// The projection is what the world says, in random orders with duplicates, late events and bursts.
#[test]
fn random_lifecycles_end_in_the_truth() {
    compare(memory());
}

#[test]
fn random_lifecycles_end_in_the_truth_on_sqlite() {
    compare(sqlite_under_test::under_test());
}

/// A comparison that finds nothing wrong with a broken reader proves nothing.
#[test]
fn random_lifecycles_find_broken_systems() {
    for name in ["last-arrival-wins", "drops-orphans"] {
        let mutant = MUTANTS.iter().find(|it| it.name == name).expect("it exists");
        let rig = Rig { provider: under_test::under_test(), store: memory(), mutation: mutant.mutation };
        let found = lifecycles::run(&rig, &Script::default(), lifecycles::Budget { lifecycles: 40, seed: 1 });
        assert!(found.is_err(), "{name} survives");
    }
}

fn compare(store: StoreUnderTest) {
    let rig = Rig { provider: under_test::under_test(), store, mutation: Mutation::None };
    match lifecycles::run(&rig, &Script::default(), lifecycles::Budget::of(1000)) {
        Ok(figures) => println!("{figures}"),
        Err(told) => panic!("{told}"),
    }
}
