//! Decides how the kit appears as tests: one named case per law, scenario and store, for `cargo test` and nextest.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Failed, Trial as Test};
use purchase_core::store::memory::MemoryStore;

use crate::{
    law::Effort,
    plan::Planned,
    report::Outcome,
    runner::{Options, plan_all},
    under_test::{Fresh, ProviderUnderTest, StoreUnderTest},
    verdict::chain,
};

/// The store in memory, which adapters are judged on.
pub fn memory() -> StoreUnderTest {
    StoreUnderTest {
        name: "memory",
        server: None,
        fresh: Arc::new(|| Box::pin(async { Ok(Fresh::new(Arc::new(MemoryStore::new()))) })),
        durable: None,
        sql: None,
    }
}

/// Judges an adapter on the store in memory with the scenarios in a folder of fixtures: the `main` of a test without
/// harness. Small scenarios in every order, larger ones in samples.
pub fn main_for_provider(provider: ProviderUnderTest, fixtures: impl Into<PathBuf>) -> ExitCode {
    let options = Options { provider: Some(provider.name.to_owned()), ..Options::new(vec![fixtures.into()]) };
    main_of(options, vec![provider], vec![memory()])
}

/// Judges a store by what the kit itself brings along: the `main` of a test without harness.
pub fn main_for_store(store: StoreUnderTest) -> ExitCode {
    main_of(Options::new(Vec::new()), Vec::new(), vec![store])
}

fn main_of(options: Options, providers: Vec<ProviderUnderTest>, stores: Vec<StoreUnderTest>) -> ExitCode {
    let seed = std::env::var("PURCHASE_CONFORMANCE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let options = Options { effort: Effort::QUICK, seed, ..options };
    let (planned, wrong) = match plan_all(&options, &providers, &stores) {
        Ok(planned) => planned,
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            return ExitCode::from(2);
        }
    };
    let mut tests: Vec<Test> =
        wrong.into_iter().map(|case| Test::test(case.case.clone(), move || Err(Failed::from(case.detail)))).collect();
    for planned in planned {
        let runtime = Arc::clone(&runtime);
        tests.push(Test::test(planned.case().case, move || judge(&runtime, planned)));
    }
    if tests.is_empty() {
        eprintln!("error: there is nothing to judge; are the fixtures where the test looks for them?");
        return ExitCode::from(2);
    }
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

fn judge(runtime: &tokio::runtime::Runtime, planned: Planned) -> Result<(), Failed> {
    let case = planned.judged(runtime.block_on(planned.check()), "cargo xtask conformance");
    match case.outcome {
        Outcome::Broken => Err(Failed::from(case.detail)),
        Outcome::Held | Outcome::Skipped => Ok(()),
    }
}
