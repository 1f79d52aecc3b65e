//! Tests which of the connections' settings a server, or a pooler in front of it, applies, and which rights a role
//! needs.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::support::{proxy::Proxy, *};
use purchase_core::{error::StoreError, store::Store};
use purchase_postgres::{Options, Pooled, Postgres, PostgresStore};

/// A separate role that may connect, and a schema that it owns.
struct Role {
    name: String,
    /// The server's URL with the role's name.
    url: String,
    admin: PostgresStore,
}

impl Role {
    /// Creates a role that may not create schemas.
    async fn new(server: &Server) -> Self {
        let admin = Postgres::connect(&server.url, Options { schema: None, ..server.options.clone() }).await.unwrap();
        let name = format!("role_{:016x}", rand::random::<u64>());
        let (_, place) = server.url.split_once('@').unwrap();
        let url = format!("postgres://{name}:secret@{place}");
        let role = Self { name, url, admin };
        role.say(&format!("CREATE ROLE {} LOGIN PASSWORD 'secret'", role.name)).await;
        role
    }

    async fn say(&self, sql: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(self.admin.pool()).await.unwrap();
    }

    async fn own(&self, server: &Server) {
        self.say(&format!("CREATE SCHEMA {} AUTHORIZATION {}", schema(server), self.name)).await;
    }

    async fn remove(self) {
        self.say(&format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", self.name)).await;
    }
}

fn schema(server: &Server) -> &str {
    server.options.schema.as_ref().unwrap().as_str()
}

fn refusal(outcome: Result<PostgresStore, StoreError>) -> String {
    let error = outcome.map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { operation: "connect", .. }), "{error:?}");
    told(&error)
}

/// If a pooler drops settings, tables would silently be searched and created in another schema.
#[tokio::test]
async fn a_schema_that_is_not_in_effect_is_refused() {
    let Some(server) = server() else { return };
    let role = Role::new(&server).await;
    role.own(&server).await;
    let pooler = Proxy::before(&role.url, true).await;
    let said = refusal(Postgres::open_and_migrate(&pooler.url, server.options.clone()).await);
    let advice = format!("ALTER ROLE … SET search_path = {}", schema(&server));
    assert!(said.contains("search_path is \"\\\"$user\\\", public\"") && said.contains(&advice), "{said}");
    assert!(said.contains("ignore_startup_parameters") && !said.contains("secret"), "{said}");

    // The advice in the error message works.
    role.say(&format!("ALTER ROLE {} SET search_path = {}", role.name, schema(&server))).await;
    let store = Postgres::open_and_migrate(&pooler.url, server.options.clone()).await.unwrap();
    store.commit(&commit("e", "c", 0)).await.unwrap();
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = $1")
        .bind(schema(&server))
        .fetch_one(role.admin.pool())
        .await
        .unwrap();
    assert!(tables > 10, "{tables}");
    store.pool().close().await;
    role.remove().await;
}

#[tokio::test]
async fn an_isolation_that_is_not_in_effect_is_refused() {
    let Some(server) = server() else { return };
    let role = Role::new(&server).await;
    role.say(&format!("ALTER ROLE {} SET default_transaction_isolation = 'repeatable read'", role.name)).await;
    let pooler = Proxy::before(&role.url, true).await;
    let options = Options { schema: None, ..server.options.clone() };
    let said = refusal(Postgres::connect(&pooler.url, options.clone()).await);
    let advice = "ALTER ROLE … SET default_transaction_isolation = 'read committed'";
    assert!(said.contains("are \"repeatable read\" instead") && said.contains(advice), "{said}");
    // If the pooler drops nothing, the connection's setting takes precedence over the role's.
    drop(Postgres::connect(&role.url, options).await.unwrap());
    role.remove().await;
}

#[tokio::test]
async fn a_role_that_may_make_no_schema_migrates_the_one_it_was_given() {
    let Some(server) = server() else { return };
    let role = Role::new(&server).await;
    let refused = Postgres::open_and_migrate(&role.url, server.options.clone()).await.unwrap_err();
    let said = told(&refused);
    assert!(said.contains("prepare the schema") && said.contains("permission denied for database"), "{said}");
    role.own(&server).await;
    let store = Postgres::open_and_migrate(&role.url, server.options.clone()).await.unwrap();
    store.commit(&commit("e", "c", 0)).await.unwrap();
    store.pool().close().await;
    role.remove().await;
}
