// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A stream of random numbers that is a function of its key and of a counter alone: number i of
 * stream `key` needs no other number before it, so series can be drawn in any order, on any
 * thread. Mixing function: SplitMix64 (Steele, Lea, Flood 2014).
 */
struct random_stream {
    uint64_t key;
    uint64_t counter;
};

static inline uint64_t random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** Stream `index` of a seed. `purpose` keeps apart what is drawn for different things. */
static inline struct random_stream random_stream_of(uint64_t seed, uint64_t purpose, uint64_t index)
{
    uint64_t key = random_mix(seed + UINT64_C(0x9e3779b97f4a7c15));
    key = random_mix(key ^ random_mix(purpose + UINT64_C(0x632be59bd9b4e019)));
    return (struct random_stream){random_mix(key ^ random_mix(index)), 0};
}

static inline uint64_t random_bits(struct random_stream *stream)
{
    return random_mix(stream->key + UINT64_C(0x9e3779b97f4a7c15) * ++stream->counter);
}

/** Uniform in (0, 1): the middles of 2^53 equal cells, so that its logarithm is finite. */
static inline double random_uniform(struct random_stream *stream)
{
    return ((double) (random_bits(stream) >> 11) + 0.5) * 0x1p-53;
}

/** Uniform in (low, high). */
static inline double random_between(struct random_stream *stream, double low, double high)
{
    return low + (high - low) * random_uniform(stream);
}

/** Uniform among 0 .. n-1. */
static inline size_t random_below(struct random_stream *stream, size_t n)
{
    return (size_t) ((double) n * random_uniform(stream));
}

/** Fills `out` with n standard normal numbers, two from each pair of uniforms (Box-Muller). */
void random_normal(struct random_stream *stream, double *out, size_t n);
