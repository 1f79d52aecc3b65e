//! The integration tests, in one program: linking each test separately would take as long as linking all of them.

mod batches;
mod glue;
mod group;
mod lifecycles;
mod odd_input;
mod paddle_story;
#[path = "../../adapters/paddle/tests/conformance/under_test.rs"]
mod paddle_under_test;
mod queue;
mod queue_processes;
mod reread;
mod several_sources;
mod stripe_story;
#[path = "../../adapters/stripe/tests/conformance/under_test.rs"]
mod stripe_under_test;
mod support;
mod unknown;
mod webhook_server;
mod worker;
