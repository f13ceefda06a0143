//! Numbers that look random and are not: everything the simulated server decides comes from here.
//! What is decided with them is left to the others.

use fastrand::Rng;

/// A generator of its own for every (seed, subject, purpose), so that one decision never moves
/// another.
pub(super) fn generator(seed: u64, subject: u64, purpose: u64) -> Rng {
    Rng::with_seed(scatter(
        scatter(scatter(seed).wrapping_add(subject)).wrapping_add(purpose),
    ))
}

/// Whether a roll falls into a share between 0 and 1.
pub(super) fn falls_into(rng: &mut Rng, share: f64) -> bool {
    rng.f64() < share
}

/// One of a list of words.
pub(super) fn pick<'a, T: ?Sized>(rng: &mut Rng, words: &'a [&'a T]) -> &'a T {
    rng.choice(words).expect("no list of words is empty")
}

/// The finishing step of `SplitMix64`: neighbouring numbers come out far apart.
fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
