//! Tests what the kit writes for people: the README's tables and each form of the report match the stored versions.
//! `PURCHASE_RENDER=1 cargo test -p purchase-conformance` rewrites the tables, and `INSTA_UPDATE=always` the forms.
//! Review the difference after either.

use std::{fs, path::Path};

use purchase_conformance::{
    Report,
    law::{SPEC, statements},
    mutants::{FAILURES, MUTANTS},
    report::{Case, Digests, Floor, Form, Headline, Judged, MutantCase, MutantOutcome, Outcome, ProviderCapabilities},
};

/// Compares a file with its expected content, or writes it.
fn check(file: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("PURCHASE_RENDER").is_some() {
        fs::write(&path, rendered).expect("it can be written");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(rendered.lines()).position(|(kept, rendered)| kept != rendered);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(rendered.lines().count()));
    let at = |text: &str| text.lines().nth(line).unwrap_or("nothing").to_owned();
    assert!(
        kept == rendered,
        "{file}:{} contains\n  {}\ninstead of\n  {}\nif intended: PURCHASE_RENDER=1 cargo test -p purchase-conformance",
        line + 1,
        at(&kept),
        at(rendered)
    );
}

#[test]
fn the_readme_shows_every_law_mutant_and_failure() {
    let laws = statements().map(|law| {
        let (id, severity, sentence) = (law.id, law.severity.as_str(), law.sentence);
        format!("| {id} | {severity} | {sentence} | {} | {} |\n", law.judges, law.source)
    });
    let laws = format!(
        "Version {SPEC}.\n\n| id | | law | judges | source |\n|---|---|---|---|---|\n{}",
        laws.collect::<String>()
    );
    let mutants = MUTANTS
        .iter()
        .map(|it| format!("| {} | {} | {} | {} | {} |\n", it.name, it.failure, it.sentence, it.like, it.law));
    let mutants = format!(
        "| mutant | failure | what it does | what people report | law |\n|---|---|---|---|---|\n{}",
        mutants.collect::<String>()
    );
    let failures = FAILURES.iter().map(|it| format!("| {} | {} | {} |\n", it.id, it.name, it.sentence));
    let failures = format!("| | failure | |\n|---|---|---|\n{}", failures.collect::<String>());

    let mut readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    for (name, table) in [("laws", laws), ("mutants", mutants), ("failures", failures)] {
        readme = with_table(&readme, name, &table);
    }
    check("README.md", &readme);
}

/// Replaces the table between the comments with this name.
fn with_table(readme: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: rendered -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = readme.split_once(&begin).unwrap_or_else(|| panic!("the README has no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("the README has no {end}"));
    format!("{before}{begin}\n{table}\n{end}{after}")
}

const HOSTILE: &str = "<script>alert('a|b')</script>";

fn case(id: &'static str, provider: &str, store: &str, scenario: &str, seconds: f64) -> Case {
    let parts = [id, provider, store, scenario].into_iter().filter(|part| !part.is_empty());
    Case {
        id,
        case: parts.collect::<Vec<_>>().join("/"),
        provider: provider.to_owned(),
        store: store.to_owned(),
        scenario: scenario.to_owned(),
        outcome: Outcome::Held,
        detail: String::new(),
        path: None,
        expected: None,
        found: None,
        schedule: None,
        again: None,
        checks: 24,
        seconds,
        skip_name: String::new(),
    }
}

fn broken() -> Case {
    let again =
        format!("cargo xtask conformance --provider acme --store memory --scenario {:?} --schedule 2,1", HOSTILE);
    let what = "at /subscriptions/sub_<b>/items undisturbed {\"a|b\":6}, here \"<i>5</i>\"";
    Case {
        outcome: Outcome::Broken,
        detail: format!("{what}\nschedule: 2,1\nagain: {again}"),
        path: Some("/subscriptions/sub_<b>/items".to_owned()),
        expected: Some("{\"a|b\":6}".to_owned()),
        found: Some("\"<i>5</i>\"".to_owned()),
        schedule: Some("2,1".to_owned()),
        again: Some(again),
        checks: 0,
        ..case("P06", "acme", "memory", HOSTILE, 0.25)
    }
}

fn mutant(
    mutant: &'static str,
    failure: &'static str,
    law: &'static str,
    outcome: MutantOutcome,
    scenario: &str,
) -> MutantCase {
    MutantCase {
        mutant,
        failure,
        law,
        like: "access is <gone>",
        sentence: "does what it <must> not",
        provider: "acme".to_owned(),
        must: true,
        outcome,
        scenario: scenario.to_owned(),
        detail: "as the law says".to_owned(),
        seconds: 0.5,
    }
}

/// A complete report, with names that try to break out of their markup.
fn report() -> Report {
    let skipped = Case {
        outcome: Outcome::Skipped,
        detail: format!("no adapter {HOSTILE:?} is compiled in"),
        skip_name: HOSTILE.to_owned(),
        ..case("P00", HOSTILE, "", "", 0.0)
    };
    let floor = |capability: &str, required, executed| Floor { capability: capability.to_owned(), required, executed };
    Report {
        kit: "purchase-conformance 0.0.0".to_owned(),
        seed: 7,
        scenarios: 2,
        deliveries: 5,
        schedules: 48,
        expectations: 4,
        laws: vec![
            skipped,
            case("P06", "acme", "memory", "one-life", 1.5),
            broken(),
            case("P06", "acme", "sqlite", "one-life", 2.25),
            case("S01", "", "memory", "", 0.01),
        ],
        mutants: vec![
            mutant("last-arrival-wins", "F1", "P06", MutantOutcome::Killed, "one-life"),
            mutant("accepts-twice", "store", "S01", MutantOutcome::Survived, ""),
            mutant("torn-batches", "store", "S03", MutantOutcome::Untried, ""),
        ],
        capabilities: vec![ProviderCapabilities {
            provider: "acme".to_owned(),
            declared: vec!["refunds".to_owned(), "trials<b>".to_owned()],
            undeclared: vec!["seats".to_owned()],
            floors: vec![floor("refunds", 3, 5), floor("trials<b>", 2, 1)],
        }],
        providers: vec![Judged { provider: "acme".to_owned(), scenarios: 2, deliveries: 5, expectations: 4 }],
        digests: Digests {
            kit: "0.0.0".to_owned(),
            spec: "5bec".to_owned(),
            spec_version: "1.0".to_owned(),
            fixtures: "f1c5".to_owned(),
            providers: [("acme".to_owned(), "acde".to_owned())].into(),
        },
        command: "cargo xtask conformance --store memory --store sqlite --seed 7".to_owned(),
        seconds: 2.5,
        allow_skip: vec![HOSTILE.to_owned()],
    }
}

#[test]
fn each_form_of_the_report_is_as_it_is_kept() {
    let report = report();
    assert_eq!(report.headline(), Headline::Broken);
    insta::with_settings!({ snapshot_path => "rendered/forms", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("report.html", report.to_html());
        insta::assert_snapshot!("report.json", report.to_json());
        insta::assert_snapshot!("report.md", report.to_markdown());
        insta::assert_snapshot!("report.txt", report.to_text());
        insta::assert_snapshot!("report.xml", report.to_junit().expect("XML"));
        insta::assert_snapshot!("badge.json", report.to_badge());
    });
}

#[test]
fn no_name_leaves_its_place() {
    let report = report();
    let html = report.to_html();
    assert!(!html.contains("<script") && !html.contains("<i>") && !html.contains("sub_<b>"));
    assert!(html.contains("&lt;script&gt;"));
    // The page loads nothing from elsewhere.
    assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("src=") && !html.contains("url("));
    let markdown = report.to_markdown();
    assert!(!markdown.contains("<script"));
    // Each row of a table has as many cells as its header.
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for table in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
        let head = table.lines().next().map(cells);
        assert!(table.lines().all(|line| Some(cells(line)) == head), "{table}");
    }
}

#[test]
fn text_has_colours_only_where_they_are_asked_for() {
    let (plain, colored) = (report().to_text(), report().to_colored_text());
    assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[1m\u{1b}[31mBROKEN\u{1b}[0m P06"), "{colored:?}");
}

#[test]
fn a_badge_says_what_the_exit_code_says() {
    let badge = |report: &Report| {
        let badge: serde_json::Value = serde_json::from_str(&report.to_badge()).expect("JSON");
        let text = |key: &str| badge[key].as_str().unwrap_or_default().to_owned();
        (report.exit_code(), text("message"), text("color"))
    };
    let says = |code, message: &str, color: &str| (code, message.to_owned(), color.to_owned());
    let mut report = report();
    assert_eq!(badge(&report), says(1, "broken", "red"));
    report.laws.retain(|case| case.outcome != Outcome::Broken);
    assert_eq!(badge(&report), says(1, "broken", "red"));
    report.mutants.retain(|mutant| mutant.outcome != MutantOutcome::Survived);
    assert_eq!(badge(&report), says(0, "2 laws · 1 provider × 2 stores", "brightgreen"));
    report.allow_skip.clear();
    assert_eq!(badge(&report), says(2, "incomplete", "lightgrey"));
}

#[test]
fn what_a_file_is_called_decides_its_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str| {
        let file = folder.path().join(name);
        report().write(&file).map(|()| fs::read_to_string(&file).expect("it is there"))
    };
    assert_eq!(write("r.html").expect("HTML"), report().to_html());
    assert_eq!(write("r.json").expect("JSON"), report().to_json());
    assert_eq!(write("RESULTS.md").expect("Markdown"), report().to_markdown());
    assert_eq!(write("r.xml").expect("XML"), report().to_junit().expect("XML"));
    assert_eq!(write("badge.json").expect("JSON"), report().to_badge());
    let refused = write("r.pdf").expect_err("no form").to_string();
    assert!(refused.contains("r.pdf: a report is written as .html, .json, .md"), "{refused}");
    let missing = Form::of(&folder.path().join("none/r.html")).expect_err("no folder").to_string();
    assert!(missing.contains("there is no folder"), "{missing}");
}
