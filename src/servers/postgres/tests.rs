//! What a server does beyond the recorded transcripts: many sessions, prepared statements, lost clients.

use super::{Answer, Config, Outcome, Reply, Server, SessionId, Statement, Value};

const MS: u64 = 1_000_000;

fn server() -> Server {
    let mut server = Server::new(Config::default());
    let table = "CREATE TABLE locks(name text primary key, owner text, token bigint not null default 0)";
    assert_eq!(server.query(0, SessionId(0), table).outcome, Outcome::Reply(Reply::Done("CREATE TABLE")));
    server
}

fn count(answer: &Answer) -> u64 {
    match &answer.outcome {
        Outcome::Reply(Reply::Count(count)) => *count,
        other => panic!("{other:?}"),
    }
}

fn statement(text: &str) -> Statement {
    Statement::parse(text).expect("SQL")
}

#[test]
fn ten_thousand_waiters_get_a_lock_one_after_the_other() {
    let (mut server, crowd) = (server(), 10_000_u32);
    let (lock, unlock) = (statement("SELECT pg_advisory_lock($1)"), statement("SELECT pg_advisory_unlock($1)"));
    let key = [Value::Int(1)];
    for id in 0..crowd {
        let blocked = server.execute(0, SessionId(id), &lock, &key).outcome == Outcome::Blocked;
        assert_eq!(blocked, id > 0, "session {id}");
    }
    // All look for deadlocks meanwhile, and find none.
    assert_eq!(server.advance(2_000 * MS), []);
    for id in 0..crowd - 1 {
        let resumed = server.execute(2_000 * MS, SessionId(id), &unlock, &key).resumed;
        assert_eq!(resumed.iter().map(|(next, _)| next.0).collect::<Vec<_>>(), [id + 1]);
    }
}

#[test]
fn a_row_among_ten_thousand_is_found_by_its_key_and_old_versions_go() {
    let mut server = server();
    let insert = statement("INSERT INTO locks(name) VALUES ($1)");
    let take = statement("UPDATE locks SET token = token + 1 WHERE name = $1");
    for number in 0..10_000 {
        assert_eq!(count(&server.execute(0, SessionId(0), &insert, &[Value::Text(format!("r{number}"))])), 1);
    }
    for _ in 0..20_000 {
        assert_eq!(count(&server.execute(0, SessionId(0), &take, &[Value::Text("r77".to_owned())])), 1);
    }
    let versions = server.catalogue.tables().map(|table| table.versions.len()).sum::<usize>();
    assert!(versions < 10_010, "{versions} versions of 10,000 rows");
}

#[test]
fn a_statement_that_waits_outlives_its_client() {
    let (mut server, holder, lost, next) = (server(), SessionId(1), SessionId(2), SessionId(3));
    let insert = statement("INSERT INTO locks(name, owner) VALUES ('r', $1)");
    server.query(0, holder, "BEGIN");
    server.execute(0, holder, &insert, &[Value::Text("A".to_owned())]);
    assert_eq!(server.execute(0, lost, &insert, &[Value::Text("B".to_owned())]).outcome, Outcome::Blocked);
    assert_eq!(server.disconnect(0, lost), []);
    assert_eq!(server.query(0, holder, "ROLLBACK").resumed, []);
    let Outcome::Reply(Reply::Rows { rows, .. }) = server.query(0, next, "SELECT owner FROM locks").outcome else {
        panic!("rows")
    };
    assert_eq!(rows, [[Value::Text("B".to_owned())]]);
}

#[test]
fn a_copy_of_a_server_goes_on_by_itself() {
    let mut one = server();
    one.query(0, SessionId(1), "SELECT pg_advisory_lock(1)");
    assert_eq!(one.query(0, SessionId(2), "SELECT pg_advisory_lock(1)").outcome, Outcome::Blocked);
    let mut two = one.clone();
    assert_eq!(two.disconnect(MS, SessionId(1)).len(), 1);
    assert!(one.is_blocked(SessionId(2)) && !two.is_blocked(SessionId(2)));
    assert_eq!(one.disconnect(MS, SessionId(1)).len(), 1);
    assert_eq!(one, two);
}

#[test]
fn who_began_to_wait_first_looks_for_the_deadlock_first() {
    let (mut server, one, two) = (server(), SessionId(1), SessionId(2));
    for (session, key) in [(one, 1), (two, 2)] {
        server.query(0, session, &format!("SELECT pg_advisory_lock({key})"));
    }
    server.query(0, one, "SELECT pg_advisory_lock(2)");
    server.query(10 * MS, two, "SELECT pg_advisory_lock(1)");
    assert_eq!(server.next_timer(), Some(1_000 * MS));
    let resumed = server.advance(1_000 * MS);
    let codes: Vec<_> = resumed
        .iter()
        .map(|(session, reply)| match reply {
            Reply::Error(error) => (*session, error.code),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [(one, "40P01")]);
    // A lock of the session survives the error of a statement.
    assert!(server.is_blocked(two));
}

#[test]
fn a_statement_that_nests_too_deep_is_refused() {
    for text in [
        "SELECT ".to_owned() + &"(".repeat(50_000),
        "SELECT ".to_owned() + &"1 + ".repeat(50_000) + "1",
        "SELECT ".to_owned() + &"- ".repeat(50_000) + "x",
        "SELECT 1 WHERE ".to_owned() + &"NOT ".repeat(50_000) + "true",
        "(".repeat(50_000) + "SELECT 1",
        "SELECT 1".to_owned() + &"::int".repeat(50_000),
    ] {
        let error = Statement::parse(&text).expect_err("too deep");
        assert_eq!(error.code, "54001", "{}", &text[..20]);
    }
}
