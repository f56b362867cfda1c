//! How close squall comes to a bare event loop: every workload beside its limit, interleaved.

mod workloads;

use squall::kernel::time::{Span, Time};
use squall::oracle::spec::Indifferent;
use squall::trace::{Fingerprint, Mute};
use std::hint::black_box;
use std::time::Instant;
use workloads::echo;

fn main() {
    let far = Time::ZERO + Span::secs(100_000);
    let n = 2_000_000;
    let plan = echo::plan(1, 5, 64);
    let time = |f: &mut dyn FnMut()| {
        let t = Instant::now();
        f();
        t.elapsed().as_nanos() as f64
    };
    for _ in 0..5 {
        let a = time(&mut || {
            black_box(echo::bare(1, 5, 64, far, n));
        }) / n as f64;
        let s = time(&mut || {
            black_box(echo::bare_std(1, 5, 64, n));
        }) / n as f64;
        let b = time(&mut || {
            black_box(echo::squall(&plan, echo::Counting::new(5), Fingerprint::default(), far, n).steps());
        }) / n as f64;
        let c = time(&mut || {
            black_box(echo::squall(&plan, Indifferent, Mute, far, n).steps());
        }) / n as f64;
        println!("W1 bare {a:.1} std {s:.1} squall {b:.1} ({:.2}x) mute {c:.1}", b / a);
        let w = 20_000;
        let until = Time::ZERO + Span::ms(10);
        let a = time(&mut || {
            for seed in 0..w {
                black_box(echo::bare(seed, 5, 1, until, u64::MAX));
            }
        }) / w as f64;
        let plans: Vec<_> = (0..w).map(|seed| echo::plan(seed, 5, 1)).collect();
        let b = time(&mut || {
            for plan in &plans {
                black_box(echo::squall(plan, echo::Counting::new(5), Fingerprint::default(), until, u64::MAX).steps());
            }
        }) / w as f64;
        println!("W4 bare {a:.0} squall {b:.0} ({:.2}x)", b / a);
    }
}
