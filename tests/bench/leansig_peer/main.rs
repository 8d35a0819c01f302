// Times leanSig on one production key of 2^17 slots: key generation, signing, verifying. Prints one JSON object.
use std::hint::black_box;
use std::time::Instant;

use leansig::signature::SignatureScheme;
use leansig::signature::generalized_xmss::instantiations_poseidon_top_level::lifetime_2_to_the_32::hashing_optimized::SIGTopLevelTargetSumLifetime32Dim64Base8 as Scheme;
use rand::{Rng, SeedableRng, rngs::StdRng};

const SIGNATURES: u32 = 2000;

fn main() {
    let mut rng = StdRng::seed_from_u64(1);
    let start = Instant::now();
    let (public_key, secret_key) = Scheme::key_gen(&mut rng, 0, 1 << 17);
    let keygen = start.elapsed().as_secs_f64();

    let mut signing = Vec::new();
    let mut verifying = Vec::new();
    for epoch in 0..SIGNATURES {
        let message: [u8; 32] = rng.random();
        let start = Instant::now();
        let signature = black_box(Scheme::sign(&secret_key, epoch, &message).unwrap());
        signing.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        assert!(black_box(Scheme::verify(&public_key, epoch, &message, &signature)));
        verifying.push(start.elapsed().as_secs_f64());
    }
    signing.sort_by(f64::total_cmp);
    verifying.sort_by(f64::total_cmp);
    println!(
        "{{\"keygen_s\": {keygen}, \"sign_median_s\": {}, \"sign_p99_s\": {}, \"verify_median_s\": {}}}",
        signing[signing.len() / 2],
        signing[signing.len() * 99 / 100],
        verifying[verifying.len() / 2],
    );
}
