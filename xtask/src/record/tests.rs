//! Tests the recorder with bodies that contain values that must not be kept, and end to end over HTTP on this machine,
//! including the kit that reads the folder.

use std::{fs, path::Path};

use purchase_conformance::scenario::{Origin, Scenario};
use purchase_core::verify::Secret;

use super::*;
use crate::scenarios;

const RULES: &str = "event_type = \"/type\"\nsignature_headers = [\"acme-auth\"]\nheaders = [\"acme-version\"]\nkeep = \
                     [\"product.name\"]\n[fields]\nname = [\"nickname\"]\nurl = [\"receipt\"]\naddress = [\"billing.state\"]\n";

fn mask(map_ids: bool) -> Mask {
    Mask::new(Rules::parse(RULES).expect("rules"), map_ids, Some("the very secret".to_owned())).expect("a mask")
}

fn check(body: &str, expect: &str) {
    let scrubbed = mask(false).body(body.as_bytes()).expect("JSON");
    assert_eq!(String::from_utf8(scrubbed).expect("UTF-8"), expect);
}

#[test]
fn what_needs_no_scrubbing_stays_byte_for_byte() {
    let untouched = "{ \"b\":1.50, \"a\" : [ 1e3,true , null,\"\\u00e9\\/x\"],\n\t\"status\":\"active\",\"product\":{\"name\":\"Tea\"},\
                     \"version\":\"2026-03-25.dahlia\",\"url\":\"https://example.com/plans\",\"empty\":{},\"e\":[ ]}\n";
    check(untouched, untouched);
}

#[test]
fn fields_are_known_by_their_names() {
    check(
        r#"{"name":"Ann Lee","nickname":"Annie", "phone" : "+4915112345","last4":"1234","card":{"fingerprint":"Xt5EWLLDS7FJjR1c"}}"#,
        r#"{"name":"Name 1","nickname":"Name 2", "phone" : "+15550000001","last4":"4242","card":{"fingerprint":"card2"}}"#,
    );
    check(
        r#"{"address":{"city":"Ulm","country":"DE","extra":["Gasse 1"]},"state":"open","billing":{"state":"BW"}}"#,
        r#"{"address":{"city":"Address 1","country":"DE","extra":["Address 2"]},"state":"open","billing":{"state":"Address 3"}}"#,
    );
    check(
        r#"{"tax_ids":[{"type":"eu_vat","value":"DE123"}],"client_secret":"pi_1_secret_2","email":"not one"}"#,
        r#"{"tax_ids":[{"type":"eu_vat","value":"TAX00000001"}],"client_secret":"scrubbed_1","email":"person1@example.com"}"#,
    );
    let number: serde_json::Value =
        serde_json::from_slice(&mask(false).body(br#"{"last_four":1234}"#).expect("JSON")).expect("JSON");
    assert!(number["last_four"].as_u64().is_some_and(|digits| (1000..10_000).contains(&digits)), "{number}");
}

#[test]
fn what_betrays_itself_is_found_anywhere() {
    check(
        r#"{"note":"write to ann@corp.example.org, Ann@corp.example.org or ann@corp.example.org from 10.1.2.3"}"#,
        r#"{"note":"write to person1@example.com, person2@example.com or person1@example.com from 192.0.2.1"}"#,
    );
    check(
        r#"{"a":"sk_test_4eC39HqLyjWDarjtT1zdp7dc","b":["pdl_ntfset_01hsdn_x9Yz"],"c":"Bearer abc.def-123","d":"the very secret!"}"#,
        r#"{"a":"scrubbed_1","b":["scrubbed_2"],"c":"scrubbed_3","d":"scrubbed_4!"}"#,
    );
    check(
        r#"{"hosted":"https://pay.example.com/i/acct_1/test_YWNjdF8xTTJKVGtMa?s=ap","receipt":"https://a.example/b","v6":"2001:db8:85a3::8a2e:370:7334"}"#,
        r#"{"hosted":"https://example.com/scrubbed/1","receipt":"https://example.com/scrubbed/2","v6":"192.0.2.1"}"#,
    );
    // Times contain colons too, and versions contain dots.
    check(
        r#"{"at":"2026-01-01T10:20:30.123456Z","of":"1.2.3"}"#,
        r#"{"at":"2026-01-01T10:20:30.123456Z","of":"1.2.3"}"#,
    );
}

#[test]
fn ids_are_mapped_alike_everywhere() {
    let body = r#"{"id":"sub_1Nabcdefgh","customer":"cus_NffrFeUfNV2Hib","order_id":48123,"items":{"price":"price_1Abcdefghij"},
        "previous":{"customer":"cus_NffrFeUfNV2Hib"},"order":{"id":"48123"},"status":"past_due","collection":"charge_automatically","event":"customer.subscription.updated"}"#;
    let mut mask = mask(true);
    let mapped: serde_json::Value = serde_json::from_slice(&mask.body(body.as_bytes()).expect("JSON")).expect("JSON");
    let text = |at: &str| mapped.pointer(at).and_then(serde_json::Value::as_str).expect(at).to_owned();
    assert_eq!(text("/customer"), text("/previous/customer"));
    assert!(text("/customer").starts_with("cus_") && text("/customer") != "cus_NffrFeUfNV2Hib");
    assert_eq!(text("/customer").len(), "cus_NffrFeUfNV2Hib".len());
    assert!(text("/id").starts_with("sub_") && text("/id") != "sub_1Nabcdefgh");
    assert_eq!(mapped["order_id"].to_string(), text("/order/id"));
    assert_ne!(text("/order/id"), "48123");
    assert_eq!((text("/status"), text("/event")), ("past_due".to_owned(), "customer.subscription.updated".to_owned()));
    assert_eq!(text("/collection"), "charge_automatically");
    let again: serde_json::Value =
        serde_json::from_slice(&mask.body(br#"{"customer":"cus_NffrFeUfNV2Hib"}"#).expect("JSON")).expect("JSON");
    assert_eq!(again["customer"], mapped["customer"]);
    assert_eq!(mask.counts()["id"], (4, 7));
}

#[test]
fn headers_are_kept_by_name_and_signatures_only_on_demand() {
    let of = |pairs: &[(&str, &str)]| -> Vec<(String, Vec<u8>)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
    };
    let all = of(&[
        ("content-type", "application/json"),
        ("cookie", "a=b"),
        ("authorization", "Bearer abcdefghi"),
        ("x-forwarded-for", "10.0.0.1"),
        ("acme-version", "7"),
        ("acme-auth", "t=1"),
        ("other-signature", "ab"),
    ]);
    let names = |with: bool| mask(false).headers(&all, with).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(false), ["content-type", "acme-version"]);
    assert_eq!(names(true), ["content-type", "acme-version", "acme-auth", "other-signature"]);
}

#[test]
fn a_list_that_cannot_be_read_is_refused() {
    assert!(Rules::parse("event_type = \"type\"").expect_err("no pointer").to_string().contains("not a JSON pointer"));
    assert!(Rules::parse("[fields]\nshoe_size = []").is_err());
    assert!(Rules::parse("feilds = []").is_err());
}

fn args(out: &Path, more: &[&str]) -> RecordArgs {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        record: RecordArgs,
    }
    let out = out.to_string_lossy().into_owned();
    let all = ["record", "--provider", "stripe", "--out", &out].into_iter().chain(more.iter().copied());
    <Cli as clap::Parser>::try_parse_from(all).expect("arguments").record
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let root = tempfile::tempdir().expect("a folder");
    let check = |out: &str, more: &[&str], expect: &str| {
        let args = args(&root.path().join(out), more);
        let error = rules(&args).and_then(|rules| recorder(&args, rules)).map(drop).expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    };
    check("stripe/one", &["--listen", "0.0.0.0:0"], "other machines can reach");
    check("other/one", &[], "is not a scenario folder of stripe");
    check("stripe/one", &["--secret-env", "NO_SUCH_VARIABLE_OF_THE_TESTS"], "NO_SUCH_VARIABLE_OF_THE_TESTS");
    fs::create_dir_all(root.path().join("stripe/one")).expect("a folder");
    check("stripe/one", &[], "already exists");
}

/// Sends the bodies of one of the project's scenarios over HTTP, with added values that must not be kept.
async fn record(out: &Path, bodies: &[Vec<u8>], count: usize) -> (String, Vec<u16>) {
    let args = args(out, &[]);
    let recorder = recorder(&args, rules(&args).expect("rules")).expect("a recorder");
    let server = server::bind("127.0.0.1:0".parse().expect("an address"), recorder).await.expect("it binds");
    let url = format!("http://{}/webhooks/stripe", server.address());
    let running = tokio::spawn(server.run(Some(count)));
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let secret = Secret::new(scenarios::SECRET).expect("a secret");
    let mut answers = Vec::new();
    for body in bodies {
        let request = client.post(&url).header("stripe-signature", scenarios::signature(&secret, 1_767_225_600, body));
        let request = request.header("cookie", "session=1").header("content-type", "application/json");
        answers.push(request.body(body.clone()).send().await.expect("an answer").status().as_u16());
    }
    let recorder = running.await.expect("no panic").expect("it ends");
    let summary = recorder.lock().await.summary();
    (summary, answers)
}

#[tokio::test]
async fn a_recording_is_a_scenario_once_it_expects_something() {
    let root = tempfile::tempdir().expect("a folder");
    let out = root.path().join("stripe/a-renewal");
    let own = shell::root().join("fixtures/stripe/renewal-fails-then-recovers");
    let sent = scenarios::read(&own.join("deliveries"), "renewal").expect("deliveries");
    let mut bodies: Vec<Vec<u8>> = sent.iter().map(|body| body.bytes.clone()).collect();
    // One body is sent twice, and one isn't JSON.
    bodies.insert(1, bodies[0].clone());
    bodies.insert(1, b"hello".to_vec());
    let (summary, answers) = record(&out, &bodies, sent.len()).await;
    let mut expect = vec![200; bodies.len()];
    expect[1] = 400;
    assert_eq!(answers, expect);
    assert!(
        summary.contains("not written again: 1")
            && summary.contains("rejected: a body that is not JSON: expected value at line 1"),
        "{summary}"
    );

    let error = Scenario::load(&out).expect_err("it has no expectations yet");
    assert!(error.to_string().contains("it has no [[expect]]"), "{error}");
    let file = out.join("scenario.toml");
    let text = fs::read_to_string(&file).expect("readable");
    assert!(!text.contains(scenarios::SECRET), "{text}");
    fs::write(&file, text + "\n[[expect]]\nat = \"/parked\"\ncount = 0\n").expect("writable");
    let scenario = Scenario::load(&out).expect("a scenario");
    assert_eq!((scenario.provider.as_str(), scenario.origin), ("stripe", Origin::Recorded));
    let names: Vec<String> =
        scenario.deliveries.iter().map(|it| format!("{:03}-{}.json", it.number, it.event_type)).collect();
    let sent_names: Vec<&str> = sent.iter().map(|body| body.name.rsplit('/').next().unwrap_or_default()).collect();
    assert_eq!(names, sent_names);
    for (recorded, sent) in scenario.deliveries.iter().zip(&sent) {
        let headers = recorded.headers.as_ref().expect("they are kept");
        assert_eq!((headers.all("cookie").count(), headers.all("stripe-signature").count()), (0, 0));
        let (kept, came) = (String::from_utf8_lossy(&recorded.body), String::from_utf8_lossy(&sent.bytes));
        // The sender's layout is kept: the same number of lines, and the same ids.
        assert_eq!(kept.lines().count(), came.lines().count());
        assert!(kept.contains(&sent.event));
    }
}

#[tokio::test]
async fn nothing_personal_is_written() {
    let root = tempfile::tempdir().expect("a folder");
    let out = root.path().join("stripe/a-customer");
    let body = r#"{"id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1","email":"eve@corp.example.org","name":"Eve Moss",
        "phone":"+441632960961","address":{"line1":"1 High St"},"tax_exempt":"none"}},"request":{"idempotency_key":"x"}}"#;
    let (summary, answers) = record(&out, &[body.as_bytes().to_vec()], 1).await;
    assert_eq!(answers, [200]);
    let written = fs::read_to_string(out.join("deliveries/001-customer.created.json")).expect("it is written");
    for personal in ["eve@", "Eve", "441632960961", "High St"] {
        assert!(!written.contains(personal), "{written}");
    }
    for kept in ["evt_1", "cus_1", "\"tax_exempt\":\"none\""] {
        assert!(written.contains(kept), "{written}");
    }
    for told in ["email          1 different, in 1 places", "name           1 different", "phone          1 different"]
    {
        assert!(summary.contains(told), "{summary}");
    }
}
