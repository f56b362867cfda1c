//! The views of the system: who holds and awaits which lock, and who does what.

use super::super::lock::Tag;
use super::super::plan::View;
use super::super::value::Value;
use super::{Execution, Row};

/// The names of the modes, by number.
const MODES: [&str; 9] = [
    "",
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];

impl Execution<'_> {
    pub(super) fn view(&self, view: View) -> Vec<Row> {
        match view {
            View::Locks => self.locks(),
            View::Activity => self.activity(),
        }
    }

    fn locks(&self) -> Vec<Row> {
        let locks = &self.server.locks;
        let held = locks.granted().map(|(tag, session, mode)| (tag, session, mode, true));
        let waiting = locks
            .locks
            .iter()
            .flat_map(|(tag, lock)| lock.queue.iter().map(|waiter| (*tag, waiter.session, waiter.mode, false)));
        held.chain(waiting)
            .map(|(tag, session, mode, granted)| {
                let mut row = vec![Value::Null; 16];
                let text = |text: &str| Value::Text(text.to_owned());
                let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
                row[1] = Value::Int(5);
                match tag {
                    Tag::Relation(table) => {
                        row[0] = text("relation");
                        row[2] = number(table.into());
                    }
                    Tag::Tuple(table, tid) => {
                        row[0] = text("tuple");
                        (row[2], row[3], row[4]) = (number(table.into()), number(0), number(tid));
                    }
                    Tag::Transaction(xact, _) => {
                        row[0] = text("transactionid");
                        (row[1], row[6]) = (Value::Null, number(xact));
                    }
                    Tag::Advisory(key) => {
                        let key = key.cast_unsigned();
                        row[0] = text("advisory");
                        (row[7], row[8], row[9]) = (number(key >> 32), number(key & 0xffff_ffff), number(1));
                    }
                    Tag::AdvisoryPair(class, object) => {
                        row[0] = text("advisory");
                        let part = |part: i32| number(part.cast_unsigned().into());
                        (row[7], row[8], row[9]) = (part(class), part(object), number(2));
                    }
                }
                row[11] = Value::Int(self.server.pid(session));
                row[12] = text(MODES[usize::from(mode)]);
                row[13] = Value::Bool(granted);
                row[14] = Value::Bool(false);
                row
            })
            .collect()
    }

    fn activity(&self) -> Vec<Row> {
        let text = |text: &str| Value::Text(text.to_owned());
        let row = |(id, session): (&super::SessionId, &super::super::session::Session)| {
            let running = *id == self.session || session.pending.is_some();
            let state = match &session.transaction {
                _ if running => "active",
                Some(transaction) if transaction.failed => "idle in transaction (aborted)",
                Some(_) => "idle in transaction",
                None => "idle",
            };
            let wait = self.server.locks.waits.get(id).map(|tag| match tag {
                Tag::Relation(_) => "relation",
                Tag::Tuple(..) => "tuple",
                Tag::Transaction(..) => "transactionid",
                Tag::Advisory(_) | Tag::AdvisoryPair(..) => "advisory",
            });
            let began =
                session.transaction.as_ref().map(|transaction| Value::Timestamp(self.server.clock(transaction.began)));
            vec![
                text("postgres"),
                Value::Int(session.pid),
                text("postgres"),
                text(""),
                Value::Timestamp(self.server.clock(session.began)),
                began.unwrap_or(Value::Null),
                Value::Timestamp(self.server.clock(session.query_began)),
                Value::Timestamp(self.server.clock(session.changed)),
                match wait {
                    Some(_) => text("Lock"),
                    None if running => Value::Null,
                    None => text("Client"),
                },
                match wait {
                    Some(wait) => text(wait),
                    None if running => Value::Null,
                    None => text("ClientRead"),
                },
                text(state),
                text(&session.query),
                text("client backend"),
            ]
        };
        self.server.sessions().map(row).collect()
    }
}
