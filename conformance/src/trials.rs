//! Decides how the kit appears as tests: one named case per law, scenario and store, for `cargo test` and nextest. Also
//! decides when a store's tests are skipped because their server is missing.

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use libtest_mimic::{Arguments, Failed, Trial as Test};

use crate::{
    law::Effort,
    options::Options,
    plan::Planned,
    report::Outcome,
    runner::plan_all,
    under_test::{ProviderUnderTest, StoreUnderTest, memory},
    verdict::chain,
};

/// The environment variable that names the stores, separated by commas, whose tests may be skipped even in CI.
pub const ALLOW_SKIP: &str = "PURCHASE_TEST_ALLOW_SKIP";

/// Judges an adapter on the in-memory store, with the scenarios in a folder of fixtures. It is the `main` of a test
/// without harness. Small scenarios run in every order, larger ones are sampled.
pub fn main_for_provider(provider: ProviderUnderTest, fixtures: impl Into<PathBuf>) -> ExitCode {
    let options = Options { provider: Some(provider.name.to_owned()), ..Options::new(vec![fixtures.into()]) };
    main_of(options, vec![provider], vec![memory()], false)
}

/// Judges a store with the kit's own material. It is the `main` of a test without harness. If [`lacks_server`] returns
/// true, its cases are ignored by name.
pub fn main_for_store(store: StoreUnderTest) -> ExitCode {
    let ignored = store.server.is_some_and(|variable| lacks_server(store.name, variable));
    main_of(Options::new(Vec::new()), Vec::new(), vec![store], ignored)
}

/// Whether a test must be skipped because the variable that names the store's server is not set. A skip is reported on
/// standard error. In CI the test runs anyway and fails without its server, unless [`ALLOW_SKIP`] names the store.
pub fn lacks_server(store: &str, variable: &str) -> bool {
    let (is_set, ci) = (is_set(variable), env::var_os("CI").is_some());
    let skipped = is_skipped(store, is_set, ci, &env::var(ALLOW_SKIP).unwrap_or_default());
    if skipped {
        // A macro's output would be captured when the test passes. A failed write is ignored, because nobody may be
        // reading.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: {variable} is not set, so {store} is not judged; `cargo xtask services up` starts a server and \
             prints the value"
        );
    }
    skipped
}

/// Whether an environment variable is set and not empty.
pub(crate) fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn is_skipped(store: &str, is_set: bool, ci: bool, allowed: &str) -> bool {
    !is_set && (!ci || allowed.split(',').any(|name| name.trim() == store))
}

fn main_of(
    options: Options,
    providers: Vec<ProviderUnderTest>,
    stores: Vec<StoreUnderTest>,
    ignored: bool,
) -> ExitCode {
    let seed = env::var("PURCHASE_CONFORMANCE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
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
            eprintln!("error: the async runtime can't be started: {error}");
            return ExitCode::from(2);
        }
    };
    let mut tests: Vec<Test> =
        wrong.into_iter().map(|case| Test::test(case.case.clone(), move || Err(Failed::from(case.detail)))).collect();
    for planned in planned {
        let runtime = Arc::clone(&runtime);
        tests.push(Test::test(planned.case().case, move || judge(&runtime, planned)).with_ignored_flag(ignored));
    }
    if tests.is_empty() {
        eprintln!("error: there is nothing to judge; check that the fixtures are in the folder that the test uses");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_without_its_server_is_skipped_in_ci_by_name_alone() {
        for (is_set, ci, allowed, expect) in [
            (true, false, "", false),
            (true, true, "d1", false),
            (false, false, "", true),
            (false, true, "", false),
            (false, true, "postgres", false),
            (false, true, "postgres, d1", true),
        ] {
            assert_eq!(is_skipped("d1", is_set, ci, allowed), expect, "{is_set} {ci} {allowed:?}");
        }
    }
}
