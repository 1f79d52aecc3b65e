//! Tests the kit itself: correct systems hold every law, each mutant is found, and nothing passes by doing nothing.

use std::{collections::BTreeSet, fs, path::Path};

use purchase_conformance::{
    Options, ProviderUnderTest, Report, RunError,
    acme::{ACME, scenarios},
    counterpart::{self, Counterpart},
    law::{Check, Effort, LAWS, Trial, counterpart::CounterpartTrial, find},
    mutants::{MUTANTS, Mutation},
    plain::{self, PLAIN},
    report::{MutantOutcome, Outcome},
    rig::Rig,
    scenario::{Expected, Scenario},
    under_test::memory,
};
use tempfile::TempDir;

#[tokio::test]
async fn the_right_adapter_holds_every_law() {
    hold_every_law(ACME, scenarios::all(), &["P03", "P12", "P13", "P17", "P24", "P25", "P26", "P28"]).await;
}

#[tokio::test]
async fn so_does_an_adapter_that_declares_nothing() {
    // Laws that need a signed time or an event id don't apply; P19 and P22 replace them.
    hold_every_law(PLAIN, plain::scenarios::all(), &["P12", "P17", "P24", "P25", "P28"]).await;
}

/// Judges every scenario by the laws that always apply and by these.
async fn hold_every_law(provider: ProviderUnderTest, scenarios: Vec<Scenario>, sometimes: &[&str]) {
    let mut judged: BTreeSet<&str> = BTreeSet::new();
    for scenario in scenarios {
        let rig = Rig { provider, store: memory(), mutation: Mutation::None };
        let trial = Trial { rig, scenario, effort: Effort::QUICK, seed: 7 };
        for law in LAWS.iter().filter(|law| law.applies(&trial)) {
            let verdict = match law.check {
                Check::Declared(_, _, check) | Check::Provider(check) | Check::Some(_, check) => check(&trial).await,
                Check::Durable(_) | Check::Sql(_) | Check::Store(_) | Check::Counterpart(_) => continue,
            };
            let held = verdict.unwrap_or_else(|broken| panic!("{} {}: {}", law.id, trial.scenario.name, broken.what));
            assert!(held.checks > 0, "{} {}", law.id, trial.scenario.name);
            if !matches!(law.check, Check::Provider(_)) {
                judged.insert(law.id);
            }
        }
    }
    assert_eq!(judged.into_iter().collect::<Vec<_>>(), sometimes);
}

#[tokio::test]
async fn two_providers_tell_the_kits_own_stories_alike() {
    let check = |counterpart: Counterpart| async move {
        let trial =
            CounterpartTrial { counterpart, store: memory(), mutation: Mutation::None, effort: Effort::QUICK, seed: 7 };
        let Some(Check::Counterpart(check)) = find("P11").map(|law| law.check) else {
            panic!("P11 is the counterparts' law")
        };
        check(&trial).await
    };
    for counterpart in counterpart::own() {
        assert!(check(counterpart.clone()).await.is_ok_and(|held| held.checks == 6), "{}", counterpart.name);
        let mut other = counterpart;
        let catalog = &mut other.sides[1].1.catalog;
        catalog.prices.clear();
        let broken = check(other).await.expect_err("its prices have no offers");
        assert!(broken.what.contains("at /user-of-acme/entitlements/desk:seats: acme {"), "{}", broken.what);
        assert!(broken.what.ends_with("plain nothing"), "{}", broken.what);
    }
}

#[tokio::test]
async fn each_mutant_is_found_by_its_law() {
    let fixtures = tempfile::tempdir().expect("a folder");
    let report = run(&fixtures, |_| {}).await.expect("it runs");
    for mutant in &report.mutants {
        // The in-memory store has no statements, and none of it outlives its process.
        let expected = match mutant.law {
            "S03" | "S07" | "S08" | "S09" | "S10" => MutantOutcome::Untried,
            _ => MutantOutcome::Killed,
        };
        assert_eq!(mutant.outcome, expected, "{} by {}: {}", mutant.mutant, mutant.law, mutant.detail);
    }
    assert_eq!(report.mutants.len(), MUTANTS.len());
}

async fn run(fixtures: &TempDir, narrow: impl FnOnce(&mut Options)) -> Result<Report, RunError> {
    let mut options = Options { effort: Effort::QUICK, ..Options::new(vec![fixtures.path().to_owned()]) };
    narrow(&mut options);
    purchase_conformance::run(&options, &[ACME], &[memory()]).await
}

/// Writes a scenario of acme to disk as an author would.
fn save(fixtures: &Path, scenario: &Scenario, expect: &str) {
    let folder = fixtures.join(&scenario.provider).join(&scenario.name);
    fs::create_dir_all(folder.join("deliveries")).expect("a folder");
    let head = format!(
        "title = \"t\"\nproves = \"p\"\nprovider = {:?}\napi_version = \"1\"\norigin = \"written\"\nsecret = \
         {:?}\nas_of = \"{}\"\n\n",
        scenario.provider, scenario.secret, scenario.as_of
    );
    fs::write(folder.join("scenario.toml"), head + expect).expect("a file");
    for delivery in &scenario.deliveries {
        let name = format!("deliveries/{:03}-{}.json", delivery.number, delivery.event_type);
        fs::write(folder.join(name), &delivery.body).expect("a file");
    }
}

fn burst(expect: &str) -> TempDir {
    let fixtures = tempfile::tempdir().expect("a folder");
    let all = scenarios::all();
    let burst = all.iter().find(|scenario| scenario.name.contains("burst")).expect("it is there");
    save(fixtures.path(), burst, expect);
    fixtures
}

const RIGHT: &str = "[[expect]]\nat = \"/subscriptions/sub_burst/items/price_seats\"\nis = 6\n";

#[tokio::test]
async fn a_right_scenario_holds() {
    let report = run(&burst(RIGHT), |_| {}).await.expect("it runs");
    assert_eq!((report.exit_code(), report.count(Outcome::Broken)), (0, 0), "{}", report.to_text());
    assert_eq!((report.scenarios, report.deliveries, report.expectations), (1, 3, 1));
    assert!(report.schedules > 6);
}

#[tokio::test]
async fn an_unmet_expectation_breaks_the_truth_law() {
    let wrong = RIGHT.replace("is = 6", "is = 5");
    let report = run(&burst(&wrong), |_| {}).await.expect("it runs");
    assert_eq!(report.exit_code(), 1);
    let broken: Vec<_> = report.laws.iter().filter(|case| case.outcome == Outcome::Broken).collect();
    assert_eq!(
        broken.iter().map(|case| case.case.as_str()).collect::<Vec<_>>(),
        ["P14/acme/memory/a-burst-in-one-second"]
    );
    assert!(broken[0].detail.contains("price_seats is 5 (scenario.toml:9); found 6"), "{}", broken[0].detail);
    assert!(broken[0].detail.contains("--schedule 1,2,3"), "{}", broken[0].detail);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!(text(&broken[0].path), "/subscriptions/sub_burst/items/price_seats");
    assert_eq!((text(&broken[0].expected), text(&broken[0].found)), ("5".to_owned(), "6".to_owned()));
    assert_eq!(text(&broken[0].schedule), "1,2,3");
    let again =
        "cargo xtask conformance --provider acme --store memory --scenario a-burst-in-one-second --schedule 1,2,3";
    assert_eq!(text(&broken[0].again), again);
}

#[tokio::test]
async fn nothing_passes_by_doing_nothing() {
    let empty = tempfile::tempdir().expect("a folder");
    assert_eq!(run(&empty, |_| {}).await.expect("it runs").exit_code(), 2);

    let without = run(&burst(""), |_| {}).await.expect("it runs");
    assert_eq!(without.exit_code(), 1);
    assert!(without.laws.iter().any(|case| case.id == "P00" && case.detail.contains("no [[expect]]")));

    let fixtures = burst(RIGHT);
    fs::create_dir_all(fixtures.path().join("other/one")).expect("a folder");
    assert_eq!(run(&fixtures, |_| {}).await.expect("it runs").exit_code(), 2);
    let allowed = run(&fixtures, |options| options.allow_skip = vec!["other".to_owned()]).await;
    assert_eq!(allowed.expect("it runs").exit_code(), 0);
    let asked = run(&fixtures, |options| options.provider = Some("acme".to_owned())).await;
    assert_eq!(asked.expect("it runs").exit_code(), 0);
    let unknown = run(&fixtures, |options| options.provider = Some("other".to_owned())).await;
    assert!(matches!(unknown, Err(RunError::Unknown { what: "provider", .. })));
    let missing = run(&fixtures, |options| options.scenario = Some("nowhere".to_owned())).await;
    assert!(matches!(missing, Err(RunError::Unknown { what: "scenario", .. })));
}

#[tokio::test]
async fn a_complete_run_asks_for_a_minimum() {
    let complete = |options: &mut Options| options.complete = true;
    let report = run(&burst(RIGHT), complete).await.expect("it runs");
    assert_eq!((report.exit_code(), report.count(Outcome::Broken)), (2, 0), "{}", report.to_text());
    let [acme] = report.capabilities.as_slice() else { panic!("{:?}", report.capabilities) };
    assert_eq!(acme.declared, ["event_ids", "mode_in_event", "prior_states", "signed_time"]);
    let floors: Vec<(&str, u64, u64)> =
        acme.floors.iter().map(|floor| (floor.capability.as_str(), floor.required, floor.executed)).collect();
    assert_eq!(
        floors[..5],
        [
            ("scenarios", 10, 1),
            ("scenarios_longer_than_exhaustive", 1, 0),
            ("late_owners", 1, 0),
            ("refunds", 1, 0),
            ("ended_subscriptions", 1, 0)
        ]
    );
    assert_eq!(
        floors[5..],
        [
            ("event_ids", 3, 1),
            ("mode_in_event", 3, 3),
            ("prior_states", 3, 2),
            ("ties_in_one_instant", 1, 1),
            ("signed_time", 3, 1)
        ]
    );
    let unmet = report.unasked_skips().map(|case| case.skip_name.clone()).collect::<Vec<_>>();
    assert!(unmet.contains(&"acme:refunds".to_owned()) && !unmet.contains(&"acme:mode_in_event".to_owned()));
    let fixtures = burst(RIGHT);
    let allowed = run(&fixtures, |options| {
        complete(options);
        options.allow_skip = unmet;
    });
    assert_eq!(allowed.await.expect("it runs").exit_code(), 0);
    // A partial run reaches no floor, and needs none.
    let part = run(&fixtures, |options| {
        complete(options);
        options.law = Some("P06".to_owned());
    });
    assert_eq!(part.await.expect("it runs").exit_code(), 0);
}

#[tokio::test]
async fn a_draw_leaves_no_law_without_a_scenario() {
    let fixtures = tempfile::tempdir().expect("a folder");
    for scenario in scenarios::all() {
        save(fixtures.path(), &scenario, "[[expect]]\nat = \"/parked\"\nis = []\n");
    }
    let laws = |report: &Report| -> BTreeSet<&'static str> {
        let held = report.laws.iter().filter(|case| case.outcome != Outcome::Skipped && case.provider == "acme");
        held.map(|case| case.id).collect()
    };
    let whole =
        laws(&run(&fixtures, |options| options.effort = Effort { samples: 1, exhaustive: 1 }).await.expect("ran"));
    for seed in 0..4 {
        let drawn = run(&fixtures, |options| {
            options.effort = Effort { samples: 1, exhaustive: 1 };
            options.complete = true;
            options.draw = Some(1);
            options.seed = seed;
        });
        assert_eq!(laws(&drawn.await.expect("it runs")), whole, "seed {seed}");
    }
}

/// The kit's own trial scenario, as it is on disk, with a list that names these scenarios.
fn trials(listed: &str) -> TempDir {
    let fixtures = tempfile::tempdir().expect("a folder");
    for (_, mut scenario) in counterpart::own().remove(0).sides {
        scenario.catalog.prices.clear();
        save(fixtures.path(), &scenario, "[[expect]]\nat = \"/ambiguous\"\ncount = 0\n");
        let folder = fixtures.path().join(&scenario.provider).join(&scenario.name);
        let prices = "[prices]\nprice_seats = \"desk:seats\"\nplan_seats = \"desk:seats\"\n";
        fs::write(folder.join("catalog.toml"), prices).expect("a file");
        let file = folder.join("scenario.toml");
        let text = fs::read_to_string(&file).expect("it is there");
        fs::write(&file, text.replacen("as_of", "catalog = \"catalog.toml\"\nas_of", 1)).expect("a file");
    }
    let text = format!("[[counterpart]]\nname = \"trial\"\nproves = \"p\"\nscenarios = [{listed}]\n");
    fs::write(fixtures.path().join("scenarios.toml"), text).expect("a file");
    fixtures
}

const ALIKE: &str = "\"acme/trial-that-converts\", \"plain/trial-that-converts\"";

async fn run_counterparts(fixtures: &TempDir, narrow: impl FnOnce(&mut Options)) -> Report {
    let mut options = Options { effort: Effort::QUICK, ..Options::new(vec![fixtures.path().to_owned()]) };
    options.law = Some("P11".to_owned());
    narrow(&mut options);
    purchase_conformance::run(&options, &[ACME, PLAIN], &[memory()]).await.expect("it runs")
}

#[tokio::test]
async fn counterparts_that_are_listed_are_compared() {
    let cases = |report: &Report| report.laws.iter().map(|case| (case.case.clone(), case.outcome)).collect::<Vec<_>>();
    let report = run_counterparts(&trials(ALIKE), |_| {}).await;
    assert_eq!(cases(&report), [("P11/acme+plain/memory/trial".to_owned(), Outcome::Held)], "{}", report.to_text());
    assert_eq!((report.exit_code(), report.laws[0].provider.as_str()), (0, "acme+plain"));

    let missing = run_counterparts(&trials("\"acme/trial-that-converts\", \"plain/trail\""), |_| {}).await;
    assert_eq!(cases(&missing), [("P00/counterpart trial".to_owned(), Outcome::Broken)]);
    assert_eq!(missing.laws[0].detail, "there is no scenario plain/trail");

    let alone = |options: &mut Options| {
        options.complete = true;
        options.provider = Some("acme".to_owned());
    };
    let alone = run_counterparts(&trials(ALIKE), alone).await;
    assert_eq!(cases(&alone), [("P00/counterpart trial".to_owned(), Outcome::Skipped)]);
    assert_eq!(alone.unasked_skips().count(), 0);
}

#[tokio::test]
async fn one_schedule_can_be_played_again() {
    let play = |text: &str| Some(text.parse().expect("a schedule"));
    let narrow = |options: &mut Options| {
        options.scenario = Some("burst".to_owned());
        options.schedule = play("3,2+1,3");
    };
    let report = run(&burst(RIGHT), narrow).await.expect("it runs");
    assert_eq!((report.exit_code(), report.laws.len()), (0, 1));
    // Two of three deliveries are compared with their own true order. Expectations apply only to all of them.
    let some = |law: Option<&str>| {
        let law = law.map(str::to_owned);
        move |options: &mut Options| (options.schedule, options.law) = (play("2+1,2"), law)
    };
    for law in [None, Some("P05"), Some("P08"), Some("P09"), Some("P16")] {
        let report = run(&burst(RIGHT), some(law)).await.expect("it runs");
        assert_eq!((report.exit_code(), report.laws[0].id), (0, law.unwrap_or("P06")), "{}", report.to_text());
    }
    let unknown = run(&burst(RIGHT), some(Some("P01"))).await;
    assert!(matches!(unknown, Err(RunError::Unknown { what: "law that plays schedules", .. })));
    let unknown = run(&burst(RIGHT), |options| options.schedule = play("4")).await;
    assert!(matches!(unknown, Err(RunError::Unknown { what: "delivery", .. })));
}

#[tokio::test]
async fn reports_hold_what_they_must() {
    let report = run(&burst(RIGHT), |_| {}).await.expect("it runs");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
    let fields: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    for field in ["kit", "seed", "scenarios", "deliveries", "schedules", "expectations", "laws", "mutants"] {
        assert!(fields.contains(&field), "{field}");
    }
    let case = json["laws"][0].as_object().expect("a case");
    for field in ["id", "case", "provider", "store", "scenario", "outcome", "detail"] {
        assert!(case.contains_key(field), "{field}");
    }
    for field in ["path", "expected", "found", "schedule", "again"] {
        assert!(!case.contains_key(field), "{field} of a case that holds");
    }
    assert!(json["timing"]["P06"].is_f64() && json["seconds"].is_f64());
    assert_eq!(json["digests"]["fixtures"].as_str().map(str::len), Some(64));
    assert_eq!(json["providers"][0]["scenarios"], 1);
    assert_eq!((case["id"].as_str(), case["outcome"].as_str()), (Some("P01"), Some("held")));
    let junit = report.to_junit().expect("XML");
    assert!(junit.contains("<testcase name=\"P06/acme/memory/a-burst-in-one-second\""));
}

#[tokio::test]
async fn the_same_seed_on_the_same_scenarios_gives_the_same_results() {
    for expect in [RIGHT, &RIGHT.replace("is = 6", "is = 5")] {
        let fixtures = burst(expect);
        let results = async || run(&fixtures, |_| {}).await.expect("it runs").to_markdown();
        assert_eq!(results().await, results().await);
    }
    let (here, there) = (burst(RIGHT), burst(RIGHT));
    let digests = async |fixtures: &TempDir| run(fixtures, |options| options.law = Some("P01".to_owned())).await;
    let [here_one, there_one] =
        [digests(&here).await, digests(&there).await].map(|report| report.expect("it runs").digests);
    assert_eq!(here_one, there_one);
    fs::write(there.path().join("acme/a-burst-in-one-second/notes.txt"), "x").expect("a file");
    assert_ne!(digests(&there).await.expect("it runs").digests.fixtures, here_one.fixtures);
}

#[test]
fn a_scenario_is_refused_with_its_place() {
    let check = |expect: &str, wanted: &str| {
        let fixtures = burst(expect);
        let error = Scenario::load(&fixtures.path().join("acme/a-burst-in-one-second")).expect_err(wanted);
        let text = error.to_string();
        assert!(text.contains("scenario.toml:") && text.contains(wanted), "{text}");
    };
    check("", ":1: it has no [[expect]]");
    check("[[expect]]\nat = \"subscriptions\"\nis = 1\n", ":9: \"subscriptions\" is not a JSON pointer");
    check("[[expect]]\nat = \"/a\"\nis = 1\ncount = 1\n", ":9: an expectation needs exactly one of");
    check("[[expect]]\nat = \"/a\"\n", "an expectation needs exactly one of");
    check("[[expect]]\nat = \"/a\"\nabsent = false\n", "absent = false has no meaning");
    check("[[expect]]\nat = \"/a\"\nis = 2026-01-01\n", "write times as text");
    check("[[expect]]\nat = \"/a\"\nwas = 1\n", ":11: unknown field `was`");
    check("[[late]]\ndelivery = \"009\"\n\n[[expect]]\nat = \"/a\"\nis = 1\n", ":10: there is no delivery \"009\"");
}

#[test]
fn late_and_dropped_deliveries_and_recorded_headers_are_read() {
    let fixtures =
        burst(&format!("[[late]]\ndelivery = \"001\"\n\n[[drop]]\ndelivery = \"002-subscription.changed\"\n\n{RIGHT}"));
    let folder = fixtures.path().join("acme/a-burst-in-one-second");
    let headers = folder.join("deliveries/003-subscription.changed.headers.json");
    fs::write(&headers, r#"{"Acme-Signature": "at=1 mac=00", "Via": ["a", "b"]}"#).expect("a file");
    let scenario = Scenario::load(&folder).expect("it loads");
    let seen: Vec<(u32, bool)> = scenario.deliveries.iter().map(|it| (it.number, it.late)).collect();
    assert_eq!(seen, [(3, false), (1, true)]);
    assert_eq!(scenario.expectations[0].expected, Expected::Is(6.into()));
    let recorded = scenario.deliveries[0].headers.as_ref().expect("they were recorded");
    assert_eq!(recorded.all("acme-signature").collect::<Vec<_>>(), [b"at=1 mac=00"]);
    assert_eq!(recorded.all("via").count(), 2);

    fs::write(folder.join("deliveries/notes.txt"), "").expect("a file");
    let error = Scenario::load(&folder).expect_err("it is not a delivery");
    assert!(error.to_string().contains("notes.txt: a delivery is named"), "{error}");
}
