//! The model as a whole: what replicas come to, what clones share, and ten thousand who wait.

use super::{Redis, Reply, Role};

/// Dice that need no crate.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).expect("small")]
    }
}

/// A command about few keys, so that they meet; dots are replaced by keys, stars by times.
fn command(dice: &mut Dice) -> Vec<String> {
    let line = dice.pick(&[
        "SET . A PX *",
        "SET . B NX PX *",
        "SET . C XX GET KEEPTTL",
        "SET . D",
        "GETSET . E",
        "GETDEL .",
        "GETEX . PX *",
        "GETEX . PERSIST",
        "PEXPIRE . *",
        "PEXPIRE . 0",
        "PERSIST .",
        "GET .",
        "DEL .",
        "RENAME . .",
        "COPY . . REPLACE",
        "APPEND . x",
        "INCR .",
        "INCRBYFLOAT . 0.1",
        "ZADD . 1 a",
        "ZADD . GT CH 2 a 0.1 b",
        "ZINCRBY . 0.7 a",
        "ZPOPMIN .",
        "ZREMRANGEBYSCORE . 1 (2",
        "ZUNIONSTORE . 2 . .",
        "HSET . f 1",
        "HINCRBY . f 1",
        "HDEL . f",
        "SADD . 1 2",
        "SPOP .",
        "RPUSH . a b",
        "LPOP .",
        "RPOPLPUSH . .",
        "BLPOP . . 1",
        "SELECT 0",
        "SELECT 1",
        "MULTI",
        "EXEC",
        "EXEC",
        "WATCH .",
        "EVAL return{redis.call('set',KEYS[1],1,'PX',ARGV[1]),redis.pcall('incr',KEYS[1])} 1 . *",
        "EVAL redis.call('incr',KEYS[1])error('late') 1 .",
    ]);
    let word = |word: &str, dice: &mut Dice| match word {
        "." => dice.pick(&["k", "l", "m"]).to_owned(),
        "*" => dice.pick(&["5", "20", "300"]).to_owned(),
        other => other.to_owned(),
    };
    // A script has its stars and dots in brackets.
    line.split(' ').map(|part| word(part, dice)).collect()
}

#[test]
fn a_replica_that_has_heard_everything_is_equal_however_late_it_hears_it() {
    let (mut changes, mut errors) = (0, 0);
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let (mut primary, mut replica) = (Redis::new().with_effects(), Redis::new());
        replica.set_role(Role::Replica);
        for now_ms in 0..400 {
            let reply = primary.apply(now_ms, dice.below(3), &command(&mut dice));
            errors += u64::from(matches!(reply, Reply::Error(_)));
            if dice.below(9) == 0 {
                primary.expire_due(now_ms);
            }
            if dice.below(20) == 0 {
                for effect in primary.take_effects() {
                    changes += 1;
                    let reply = replica.replicate(now_ms + 1_000_000, &effect);
                    assert!(!matches!(reply, Reply::Error(_)), "seed {seed}: {effect:?}: {reply:?}");
                }
                assert_eq!(replica.snapshot(), primary.snapshot(), "seed {seed} at {now_ms}");
            }
        }
    }
    assert!(changes > 5_000 && errors > 500, "{changes} changes, {errors} errors: the commands do too little");
}

#[test]
fn a_clone_goes_its_own_way_and_comes_to_the_same() {
    let mut dice = Dice(7);
    let mut one = Redis::new();
    for now_ms in 0..300 {
        one.apply(now_ms, dice.below(3), &command(&mut dice));
    }
    let (mut other, before) = (one.clone(), one.clone());
    let later: Vec<(u64, Vec<String>)> = (0..300).map(|_| (dice.below(3), command(&mut dice))).collect();
    let play = |redis: &mut Redis| -> Vec<Reply> {
        later.iter().enumerate().map(|(step, (client, words))| redis.apply(300 + step as i64, *client, words)).collect()
    };
    assert_eq!(play(&mut one), play(&mut other));
    assert!(one == other && one != before);
}

#[test]
fn ten_thousand_wait_in_order() {
    let mut redis = Redis::new();
    for client in 0..10_000_u64 {
        let place = (client * 7_919 % 10_000).to_string();
        assert_eq!(redis.apply(0, client, &["ZADD", "queue", &place, &format!("client-{client}")]), Reply::Int(1));
    }
    for client in (0..10_000_u64).step_by(97) {
        let rank = i64::try_from(client * 7_919 % 10_000).expect("small");
        assert_eq!(redis.apply(0, client, &["ZRANK", "queue", &format!("client-{client}")]), Reply::Int(rank));
    }
    for place in 0..10_000 {
        let Reply::Array(first) = redis.apply(0, 0, &["ZPOPMIN", "queue"]) else { panic!("no pair") };
        assert_eq!(first[1], Reply::Bulk(place.to_string().into_bytes()));
    }
    assert_eq!(redis.apply(0, 0, &["EXISTS", "queue"]), Reply::Int(0));
}

#[test]
fn a_key_is_there_until_its_time_has_passed() {
    let mut redis = Redis::new();
    redis.apply(1_000, 1, &["SET", "lock", "me", "PX", "50"]);
    assert_eq!((redis.next_expiry(), redis.expire_due(1_050)), (Some(1_050), 0));
    assert_eq!(redis.apply(1_050, 2, &["PTTL", "lock"]), Reply::Int(0));
    assert_eq!((redis.expire_due(1_051), redis.next_expiry()), (1, None));
    assert_eq!(redis.apply(1_051, 2, &["DBSIZE"]), Reply::Int(0));
}

#[test]
fn who_goes_watches_nothing_any_more() {
    let mut redis = Redis::new();
    redis.apply(0, 1, &["WATCH", "k"]);
    redis.apply(0, 1, &["MULTI"]);
    redis.disconnect(1);
    assert!(redis.apply(0, 2, &["SET", "k", "v"]).is_ok());
    assert_eq!(redis.apply(0, 1, &["EXEC"]), Reply::Error("ERR EXEC without MULTI".to_owned()));
    assert!(redis.watchers.is_empty());
}

#[test]
fn a_script_that_does_not_end_is_killed() {
    let reply = Redis::new().apply(0, 1, &["EVAL", "while true do end", "0"]);
    assert!(matches!(&reply, Reply::Error(text) if text.contains("SCRIPT KILL")), "{reply:?}");
    let deep = format!("return {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let reply = Redis::new().apply(0, 1, &["EVAL", &deep, "0"]);
    assert!(matches!(&reply, Reply::Error(text) if text.contains("syntax levels")), "{reply:?}");
    let reply = Redis::new().apply(0, 1, &["EVAL", "local function f() return 1 + f() end return f()", "0"]);
    assert!(matches!(&reply, Reply::Error(text) if text.contains("stack overflow")), "{reply:?}");
    let (open, shut) = ("if 1 then ".repeat(60), " end".repeat(60));
    let (left, right) = ("(1+".repeat(60), ")".repeat(60));
    let nested = format!("local function f() {open} return {left} f() {right} {shut} end return f()");
    let reply = Redis::new().apply(0, 1, &["EVAL", &nested, "0"]);
    assert!(matches!(&reply, Reply::Error(text) if text.contains("stack overflow")), "{reply:?}");
}
