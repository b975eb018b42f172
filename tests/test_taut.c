// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "lib/taut.h"

#include <string.h>

enum { N_TIME = 120, N_SERIES = 70 };

struct fixture {
    double *h;
    size_t n_h;
    taut_problem *problem;
    double *x, *u, *lambda;
    taut_result *results;
};

// Noisy blocks seen through a response, and a lambda of a tenth.
static int setup(void **state)
{
    struct fixture *it = g_new0(struct fixture, 1);
    it->n_h = 64;
    it->h = g_new0(double, it->n_h);
    assert_int_equal(taut_hrf("spm", 1.0, it->h, &it->n_h, NULL), TAUT_OK);
    it->problem = taut_problem_tv_filter(it->h, it->n_h, N_TIME, 0, NULL);
    assert_non_null(it->problem);
    it->x = g_new0(double, N_SERIES *N_TIME);
    it->u = g_new0(double, N_SERIES *N_TIME);
    it->lambda = g_new0(double, N_SERIES);
    it->results = g_new0(taut_result, N_SERIES);
    GRand *rand = g_rand_new_with_seed(3);
    fill_normal(rand, it->x, N_SERIES * N_TIME);
    for (size_t v = 0; v < N_SERIES; v++) {
        it->lambda[v] = 0.1;
        for (size_t t = 0; t < N_TIME; t++)
            it->x[v * N_TIME + t] += 3.0 * (double) ((t + v) / 20 % 2);
    }
    g_rand_free(rand);
    *state = it;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *it = *state;
    taut_problem_free(it->problem);
    g_free(it->h);
    g_free(it->x);
    g_free(it->u);
    g_free(it->lambda);
    g_free(it->results);
    g_free(it);
    return 0;
}

static taut_options by_ratio(void)
{
    taut_options options;
    taut_options_init(&options);
    options.rule = "ratio";
    return options;
}

static void solve(struct fixture *it, const taut_host *host, double *u)
{
    taut_options options = by_ratio();
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME);
    taut_array out = taut_array_of(u, N_SERIES, N_TIME);
    taut_error error = {0};
    int code = taut_solve(it->problem, &options, host, &x, it->lambda, &out, it->results, &error);
    assert_string_equal(error.message, "");
    assert_int_equal(code, TAUT_OK);
}

static void every_series_is_certified(void **state)
{
    struct fixture *it = *state;
    solve(it, NULL, it->u);
    for (size_t v = 0; v < N_SERIES; v++) {
        assert_int_equal(it->results[v].status, TAUT_SOLVED);
        assert_true(it->results[v].relative_gap <= 1e-10);
        assert_close(it->results[v].lambda, 0.1 * it->results[v].lambda_max, 1e-12);
    }
    double lambda[N_SERIES];
    taut_result again[N_SERIES];
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME);
    taut_array u = taut_array_of(it->u, N_SERIES, N_TIME);
    for (size_t v = 0; v < N_SERIES; v++)
        lambda[v] = it->results[v].lambda;
    assert_int_equal(taut_certify(it->problem, NULL, NULL, &x, &u, lambda, again, NULL), TAUT_OK);
    for (size_t v = 0; v < N_SERIES; v++)
        assert_close(again[v].objective, it->results[v].objective, 1e-12 * again[v].objective);
    it->u[5] += 1.0;
    assert_int_equal(taut_certify(it->problem, NULL, NULL, &x, &u, lambda, again, NULL), TAUT_OK);
    assert_int_equal(again[0].status, TAUT_INACCURATE);
}

static void threads_do_not_change_a_byte(void **state)
{
    struct fixture *it = *state;
    g_autofree double *other = g_new0(double, N_SERIES *N_TIME);
    taut_host host;
    taut_host_init(&host);
    host.n_threads = 1;
    solve(it, &host, it->u);
    for (uint32_t n = 2; n <= 7; n++) {
        host.n_threads = n;
        solve(it, &host, other);
        assert_memory_equal(it->u, other, N_SERIES * N_TIME * sizeof(double));
    }
}

static void any_layout_gives_the_same(void **state)
{
    struct fixture *it = *state;
    solve(it, NULL, it->u);
    // samples far apart, series backwards
    g_autofree double *x = g_new0(double, N_SERIES *N_TIME);
    g_autofree double *u = g_new0(double, N_SERIES *N_TIME);
    for (size_t v = 0; v < N_SERIES; v++)
        for (size_t t = 0; t < N_TIME; t++)
            x[t * N_SERIES + N_SERIES - 1 - v] = it->x[v * N_TIME + t];
    taut_array in = {x + N_SERIES - 1, N_SERIES, N_TIME, -1, N_SERIES, TAUT_FLOAT64, 0};
    taut_array out = {u, N_SERIES, N_TIME, 1, N_SERIES, TAUT_FLOAT64, 0};
    taut_options options = by_ratio();
    assert_int_equal(taut_solve(it->problem, &options, NULL, &in, it->lambda, &out, NULL, NULL),
                     TAUT_OK);
    for (size_t v = 0; v < N_SERIES; v++)
        for (size_t t = 0; t < N_TIME; t++)
            assert_true(u[t * N_SERIES + v] == it->u[v * N_TIME + t]);
}

static void float32_goes_in_and_out(void **state)
{
    struct fixture *it = *state;
    g_autofree float *x = g_new0(float, N_SERIES *N_TIME);
    g_autofree float *u = g_new0(float, N_SERIES *N_TIME);
    for (size_t i = 0; i < N_SERIES * N_TIME; i++) {
        x[i] = (float) it->x[i];
        it->x[i] = (double) x[i];
    }
    solve(it, NULL, it->u);
    taut_array in = {x, N_SERIES, N_TIME, N_TIME, 1, TAUT_FLOAT32, 0};
    taut_array out = {u, N_SERIES, N_TIME, N_TIME, 1, TAUT_FLOAT32, 0};
    taut_options options = by_ratio();
    assert_int_equal(taut_solve(it->problem, &options, NULL, &in, it->lambda, &out, NULL, NULL),
                     TAUT_OK);
    for (size_t i = 0; i < N_SERIES * N_TIME; i++)
        assert_true(u[i] == (float) it->u[i]);
}

static void a_series_that_is_not_finite_says_so(void **state)
{
    struct fixture *it = *state;
    it->x[3 * N_TIME + 7] = NAN;
    solve(it, NULL, it->u);
    assert_int_equal(it->results[3].status, TAUT_NONFINITE);
    assert_int_equal(it->results[2].status, TAUT_SOLVED);
    assert_close(it->u[3 * N_TIME], 0.0, 0.0);
}

static int stop_at_once(void *data, double fraction)
{
    assert_true(fraction > 0.0 && fraction <= 3.0);
    ++*(int *) data;
    return 0;
}

static void the_host_stops_a_call(void **state)
{
    struct fixture *it = *state;
    taut_host host;
    taut_host_init(&host);
    int asked = 0;
    host.n_threads = 1;
    host.go_on = stop_at_once;
    host.data = &asked;
    taut_options options = by_ratio();
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME);
    taut_array u = taut_array_of(it->u, N_SERIES, N_TIME);
    taut_error error;
    assert_int_equal(taut_solve(it->problem, &options, &host, &x, it->lambda, &u, NULL, &error),
                     TAUT_STOPPED);
    assert_int_equal(asked, 1);
    assert_string_equal(error.message, "stopped by the host");
    int32_t stop = 1;
    host.go_on = NULL;
    host.stop = &stop;
    assert_int_equal(taut_solve(it->problem, &options, &host, &x, it->lambda, &u, NULL, NULL),
                     TAUT_STOPPED);
    host.stop = NULL;
    host.mem_limit = 1000;
    assert_int_equal(taut_solve(it->problem, &options, &host, &x, it->lambda, &u, NULL, &error),
                     TAUT_NO_MEMORY);
    assert_int_equal(error.code, TAUT_NO_MEMORY);
}

// The path's last point is the solution there.
static void the_path_meets_the_solutions(void **state)
{
    struct fixture *it = *state;
    double ratio[3] = {1.5, 0.5, 0.1};
    g_autofree double *u = g_new0(double, 3 * N_TIME);
    taut_result results[3];
    taut_array x = taut_array_of(it->x, 1, N_TIME);
    taut_array out = taut_array_of(u, 3, N_TIME);
    assert_int_equal(taut_path(it->problem, NULL, &x, ratio, &out, results, NULL), TAUT_OK);
    solve(it, NULL, it->u);
    assert_true(max_abs_difference(u + 2 * N_TIME, it->u, N_TIME) <= 1e-9);
    assert_int_equal(results[0].n_jumps, 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(results[i].relative_gap <= 1e-10);
    double rising[2] = {0.1, 0.5};
    out.n_series = 2;
    assert_int_equal(taut_path(it->problem, NULL, &x, rising, &out, NULL, NULL), TAUT_BAD_VALUE);
}

static void rules_choose_lambda(void **state)
{
    struct fixture *it = *state;
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME);
    taut_array u = taut_array_of(it->u, N_SERIES, N_TIME);
    for (size_t i = 0; taut_names("rules", i) != NULL; i++) {
        taut_options options = by_ratio();
        options.rule = taut_names("rules", i);
        assert_int_equal(
            taut_solve(it->problem, &options, NULL, &x, it->lambda, &u, it->results, NULL),
            TAUT_OK);
        assert_true(it->results[0].lambda > 0.0);
    }
}

// d<g, u>/dx along a direction, by the solution at two points.
static double slope(struct fixture *it, const double *direction, const double *g, double *at,
                    size_t n)
{
    double loss[2], width = 1e-6;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++)
            at[i] += (side == 0 ? 1.0 : -2.0) * width * direction[i];
        taut_options options = by_ratio();
        options.rule = "fixed";
        taut_array x = taut_array_of(it->x, 1, N_TIME);
        taut_array u = taut_array_of(it->u, 1, N_TIME);
        assert_int_equal(taut_solve(it->problem, &options, NULL, &x, it->lambda, &u, NULL, NULL),
                         TAUT_OK);
        loss[side] = 0.0;
        for (size_t i = 0; i < N_TIME; i++)
            loss[side] += g[i] * it->u[i];
    }
    for (size_t i = 0; i < n; i++)
        at[i] += width * direction[i];
    return (loss[0] - loss[1]) / (2.0 * width);
}

static void the_derivative_is_that_of_the_solution(void **state)
{
    struct fixture *it = *state;
    solve(it, NULL, it->u);
    it->lambda[0] = it->results[0].lambda;
    GRand *rand = g_rand_new_with_seed(5);
    double g[N_TIME], dx[N_TIME], direction[N_TIME], dlambda, one = 1.0;
    fill_normal(rand, g, N_TIME);
    fill_normal(rand, direction, N_TIME);
    g_rand_free(rand);
    g_autofree double *dresponse = g_new0(double, it->n_h);
    taut_array x = taut_array_of(it->x, 1, N_TIME), u = taut_array_of(it->u, 1, N_TIME);
    taut_array g_array = taut_array_of(g, 1, N_TIME), dx_array = taut_array_of(dx, 1, N_TIME);
    size_t n_undefined = 7;
    taut_vjp vjp;
    taut_vjp_init(&vjp);
    vjp.x = &x;
    vjp.lambda = it->lambda;
    vjp.u = &u;
    vjp.g = &g_array;
    vjp.dx = &dx_array;
    vjp.dlambda = &dlambda;
    vjp.dresponse = dresponse;
    vjp.n_undefined = &n_undefined;
    assert_int_equal(taut_solve_vjp(it->problem, NULL, &vjp, NULL), TAUT_OK);
    assert_int_equal(n_undefined, 0);
    double along = 0.0;
    for (size_t t = 0; t < N_TIME; t++)
        along += dx[t] * direction[t];
    assert_close(slope(it, direction, g, it->x, N_TIME), along, 1e-5 * (1.0 + fabs(along)));
    assert_close(slope(it, &one, g, it->lambda, 1), dlambda, 1e-5 * (1.0 + fabs(dlambda)));
    double matrix[1];
    vjp.dmatrix = matrix;
    assert_int_equal(taut_solve_vjp(it->problem, NULL, &vjp, NULL), TAUT_NOT_APPLICABLE);
}

static void the_prox_has_its_derivative(void **state)
{
    struct fixture *it = *state;
    double mu = 0.7, g[N_TIME], dy[N_TIME], dmu, width = 1e-6, loss[2];
    for (size_t i = 0; i < N_TIME; i++)
        g[i] = it->x[N_TIME + i];
    taut_array y = taut_array_of(it->x, 1, N_TIME), u = taut_array_of(it->u, 1, N_TIME);
    taut_array g_array = taut_array_of(g, 1, N_TIME), dy_array = taut_array_of(dy, 1, N_TIME);
    assert_int_equal(taut_prox_tv_vjp(NULL, &y, &mu, &g_array, &dy_array, &dmu, NULL), TAUT_OK);
    for (int side = 0; side < 2; side++) {
        double moved = mu + (side == 0 ? width : -width);
        assert_int_equal(taut_prox_tv(NULL, &y, &moved, &u, NULL), TAUT_OK);
        loss[side] = 0.0;
        for (size_t i = 0; i < N_TIME; i++)
            loss[side] += g[i] * it->u[i];
    }
    assert_close((loss[0] - loss[1]) / (2.0 * width), dmu, 1e-5);
}

static double network_loss(const taut_network *network, struct fixture *it, const double *g,
                           double lambda)
{
    taut_array x = taut_array_of(it->x, 1, N_TIME), u = taut_array_of(it->u, 1, N_TIME);
    assert_int_equal(taut_network_apply(network, NULL, NULL, &x, &lambda, &u, NULL, NULL), TAUT_OK);
    double sum = 0.0;
    for (size_t i = 0; i < N_TIME; i++)
        sum += g[i] * it->u[i];
    return sum;
}

static void networks_have_derivatives(void **state)
{
    struct fixture *it = *state;
    taut_network *network = taut_network_new("lpgd-taut:step", 3, it->problem, NULL);
    assert_non_null(network);
    double parameters[3], g[N_TIME], dx[N_TIME], dlambda, dparameters[3], width = 1e-6;
    assert_int_equal(taut_network_parameters(network, parameters), 3);
    for (size_t i = 0; i < N_TIME; i++)
        g[i] = it->x[2 * N_TIME + i];
    double lambda = 2.0;
    taut_array x = taut_array_of(it->x, 1, N_TIME), g_array = taut_array_of(g, 1, N_TIME);
    taut_array dx_array = taut_array_of(dx, 1, N_TIME);
    taut_vjp vjp;
    taut_vjp_init(&vjp);
    vjp.x = &x;
    vjp.lambda = &lambda;
    vjp.g = &g_array;
    vjp.dx = &dx_array;
    vjp.dlambda = &dlambda;
    vjp.dparameters = dparameters;
    assert_int_equal(taut_network_apply_vjp(network, NULL, NULL, &vjp, NULL), TAUT_OK);
    double up = network_loss(network, it, g, lambda + width);
    double down = network_loss(network, it, g, lambda - width);
    assert_close((up - down) / (2.0 * width), dlambda, 1e-4 * (1.0 + fabs(dlambda)));
    for (size_t t = 0; t < N_TIME; t += 17) {
        it->x[t] += width;
        up = network_loss(network, it, g, lambda);
        it->x[t] -= 2.0 * width;
        down = network_loss(network, it, g, lambda);
        it->x[t] += width;
        assert_close((up - down) / (2.0 * width), dx[t], 1e-4 * (1.0 + fabs(dx[t])));
    }
    double h = 1e-4 * parameters[1];
    parameters[1] += h;
    taut_network *moved = taut_network_with(network, parameters, 3, NULL);
    double above = network_loss(moved, it, g, lambda), here = network_loss(network, it, g, lambda);
    assert_close((above - here) / h, dparameters[1], 1e-2 * (1.0 + fabs(dparameters[1])));
    taut_network_free(moved);
    taut_network_free(network);
}

static double mean_objective(const taut_network *network, struct fixture *it)
{
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME);
    taut_array u = taut_array_of(it->u, N_SERIES, N_TIME);
    taut_options options = by_ratio();
    assert_int_equal(
        taut_network_apply(network, &options, NULL, &x, it->lambda, &u, it->results, NULL),
        TAUT_OK);
    double sum = 0.0;
    for (size_t v = 0; v < N_SERIES; v++)
        sum += it->results[v].objective;
    return sum / N_SERIES;
}

static void a_trained_network_is_better_and_keeps_its_bytes(void **state)
{
    struct fixture *it = *state;
    solve(it, NULL, it->u);
    double lambda[N_SERIES];
    for (size_t v = 0; v < N_SERIES; v++)
        lambda[v] = it->results[v].lambda;
    taut_network *network = taut_network_new("lpgd-taut:step", 4, it->problem, NULL);
    taut_train_options options;
    taut_train_options_init(&options);
    options.max_iter = 40;
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME);
    taut_network *trained = taut_train(network, &options, NULL, &x, lambda, NULL);
    assert_non_null(trained);
    assert_true(mean_objective(trained, it) < mean_objective(network, it));
    void *bytes;
    size_t n;
    assert_int_equal(taut_network_write(trained, &bytes, &n, NULL), TAUT_OK);
    taut_network *read = taut_network_parse(bytes, n, it->problem, NULL);
    assert_non_null(read);
    assert_true(mean_objective(read, it) == mean_objective(trained, it));
    taut_error error;
    assert_null(taut_network_parse(bytes, n / 2, it->problem, &error));
    taut_free(bytes);
    taut_network_free(read);
    taut_network_free(trained);
    taut_network_free(network);
}

static void cleaning_centres_and_scales(void **state)
{
    struct fixture *it = *state;
    taut_array y = taut_array_of(it->x, N_SERIES, N_TIME);
    assert_int_equal(taut_clean(NULL, 1.0, NULL, &y, NULL), TAUT_OK);
    double sum = 0.0, square = 0.0;
    for (size_t t = 0; t < N_TIME; t++) {
        sum += it->x[t];
        square += it->x[t] * it->x[t];
    }
    assert_close(sum, 0.0, 1e-10);
    assert_close(square, N_TIME - 1.0, 1e-9);
    taut_clean_options options;
    taut_clean_options_init(&options);
    options.detrend = "cubic";
    taut_error error;
    assert_int_equal(taut_clean(&options, 1.0, NULL, &y, &error), TAUT_BAD_NAME);
    assert_string_equal(error.message,
                        "detrend: expected none|constant|linear|cosine|linear+cosine, found cubic");
}

// min 1/2 ||M - X||^2 + alpha sum ||X_k||: rows shrink by alpha.
static void sources_of_an_identity_shrink(void **state)
{
    (void) state;
    double gain[4] = {1.0, 0.0, 0.0, 1.0}, data[4] = {3.0, 4.0, 0.6, 0.8};
    taut_sources_input input = {gain, data, 2, 2, 1, 2};
    taut_sources_result result;
    assert_int_equal(taut_sources("l21", &input, 0.5, 1e-10, NULL, &result, NULL), TAUT_OK);
    assert_close(result.alpha_max, 5.0, 1e-12);
    assert_int_equal(result.n_active, 1);
    assert_int_equal(result.position[0], 0);
    assert_close(result.x[0], 1.5, 1e-9);
    assert_close(result.x[1], 2.0, 1e-9);
    assert_true(result.converged);
    // what is left of the row is half of it
    assert_int_equal(taut_sources_debias(&input, &result, NULL), TAUT_OK);
    assert_close(result.bias[0], 2.0, 1e-5);
    assert_close(result.x[1], 4.0, 1e-4);
    assert_int_equal(taut_sources_debias(&input, &result, NULL), TAUT_BAD_VALUE);
    taut_sources_clear(&result);
}

// A covariance of full rank, B B' + 1, of n sensors.
static void make_covariance(double *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            c[i * n + j] = i == j ? 1.0 : 0.0;
            for (size_t k = 0; k < n; k++)
                c[i * n + j] += 0.1 * sin((double) (i * n + k)) * sin((double) (j * n + k));
        }
}

static void a_whitener_whitens_what_projections_leave(void **state)
{
    (void) state;
    enum { N = 6 };
    double c[N * N], w[N * N], direction[N] = {1.0, 2.0, 3.0, 0.0, 0.0, 0.0};
    int32_t sensor[N] = {TAUT_GRAD, TAUT_GRAD, TAUT_GRAD, TAUT_GRAD, TAUT_EEG, TAUT_EEG};
    size_t rank = 0;
    make_covariance(c, N);
    taut_noise noise;
    taut_noise_init(&noise);
    noise.n = N;
    noise.covariance = c;
    noise.sensor = sensor;
    noise.projections = direction;
    noise.n_projections = 1;
    assert_int_equal(taut_whitener(&noise, w, &rank, NULL), TAUT_OK);
    assert_int_equal(rank, N - 1);
    for (size_t a = 0; a < rank; a++) {
        double along = 0.0;
        for (size_t i = 0; i < N; i++)
            along += w[a * N + i] * direction[i];
        assert_close(along, 0.0, 1e-12);
        for (size_t b = 0; b <= a; b++) {
            // Rows of MEG come first, and their covariance with EEG is left out.
            double sum = 0.0;
            for (size_t i = 0; i < N; i++)
                for (size_t j = 0; j < N; j++)
                    sum += w[a * N + i] * c[i * N + j] * w[b * N + j];
            if ((a < 3) == (b < 3))
                assert_close(sum, a == b ? 1.0 : 0.0, 1e-12);
        }
    }
    taut_error error;
    sensor[2] = 7;
    assert_int_equal(taut_whitener(&noise, w, &rank, &error), TAUT_BAD_VALUE);
    assert_string_equal(error.message, "sensor: entry 2: expected TAUT_MAG, TAUT_GRAD or TAUT_EEG, "
                                       "found 7");
}

static void a_gain_is_whitened_weighted_and_turned(void **state)
{
    (void) state;
    enum { N = 4, POSITIONS = 5 };
    double identity[N * N] = {0.0}, gain[N * 3 * POSITIONS], normals[3 * POSITIONS] = {0.0};
    double g[N * 3 * POSITIONS], weight[3 * POSITIONS], axes[9 * POSITIONS];
    for (size_t i = 0; i < N; i++)
        identity[i * N + i] = 1.0;
    for (size_t i = 0; i < N * 3 * POSITIONS; i++)
        gain[i] = sin((double) i);
    for (size_t k = 0; k < POSITIONS; k++)
        normals[3 * k + k % 3] = 1.0;
    taut_forward forward;
    taut_forward_init(&forward);
    forward.gain = gain;
    forward.normals = normals;
    forward.whitener = identity;
    forward.n_sensors = forward.rank = N;
    forward.n_positions = POSITIONS;
    for (int orientation = TAUT_FIXED; orientation <= TAUT_FREE; orientation++) {
        forward.orientation = orientation;
        size_t n_orient = orientation == TAUT_FIXED ? 1 : 3;
        assert_int_equal(taut_gain(&forward, NULL, g, weight, axes, NULL), TAUT_OK);
        double squares = 0.0;
        for (size_t j = 0; j < POSITIONS * n_orient; j++)
            for (size_t i = 0; i < N; i++) {
                double turned = 0.0;
                for (size_t d = 0; d < 3; d++)
                    turned += gain[(3 * (j / n_orient) + d) * N + i] * axes[3 * j + d];
                assert_close(g[j * N + i], turned * weight[j], 1e-12);
                squares += g[j * N + i] * g[j * N + i];
            }
        assert_close(squares, (double) N, 1e-12);
        if (orientation != TAUT_FREE)
            assert_close(axes[3 * (n_orient - 1)], 1.0, 1e-15);
        if (orientation == TAUT_LOOSE)
            assert_close(weight[0], sqrt(0.2) * weight[2], 1e-12);
    }
    taut_error error;
    forward.orientation = TAUT_LOOSE;
    normals[3] = 3.0;
    assert_int_equal(taut_gain(&forward, NULL, g, NULL, NULL, &error), TAUT_BAD_VALUE);
    assert_non_null(strstr(error.message, "normals: position 1: expected a vector of length 1"));
    forward.normals = NULL;
    assert_int_equal(taut_gain(&forward, NULL, g, NULL, NULL, NULL), TAUT_BAD_VALUE);
    forward.orientation = TAUT_FREE;
    assert_int_equal(taut_gain(&forward, NULL, g, NULL, NULL, NULL), TAUT_OK);
}

static void expect(int code, int expected, const taut_error *error, const char *message)
{
    assert_string_equal(error->message, message);
    assert_int_equal(code, expected);
}

static void bad_arguments_are_refused_by_name(void **state)
{
    struct fixture *it = *state;
    taut_array x = taut_array_of(it->x, N_SERIES, N_TIME), u = x, small = x;
    u.data = it->u;
    taut_options options = by_ratio();
    taut_error error;
    expect(taut_solve(NULL, NULL, NULL, &x, it->lambda, &u, NULL, &error), TAUT_BAD_VALUE, &error,
           "problem: expected one, found NULL");
    small.n_samples = 7;
    expect(taut_solve(it->problem, NULL, NULL, &small, it->lambda, &u, NULL, &error),
           TAUT_BAD_VALUE, &error, "x: expected 70 series of 120 samples, found 70 of 7");
    small = u;
    small.type = 9;
    expect(taut_solve(it->problem, NULL, NULL, &x, it->lambda, &small, NULL, &error),
           TAUT_BAD_VALUE, &error, "u: expected float64 or float32, found type 9");
    small = u;
    small.series_stride = 0;
    expect(taut_solve(it->problem, NULL, NULL, &x, it->lambda, &small, NULL, &error),
           TAUT_BAD_VALUE, &error, "u: expected strides of numbers apart, found 0 and 1");
    options.method = "newton";
    assert_int_equal(taut_solve(it->problem, &options, NULL, &x, it->lambda, &u, NULL, &error),
                     TAUT_BAD_NAME);
    options.method = "exact";
    it->lambda[3] = -1.0;
    expect(taut_solve(it->problem, &options, NULL, &x, it->lambda, &u, NULL, &error),
           TAUT_BAD_VALUE, &error, "lambda: entry 3: expected a number above 0, found -1");
    taut_result results[N_SERIES];
    options.tol = NAN;
    it->lambda[3] = 1.0;
    expect(taut_certify(it->problem, &options, NULL, &x, &u, it->lambda, results, &error),
           TAUT_BAD_VALUE, &error, "tol: entry 0: expected a number of at least 0, found nan");
    options.size = 0;
    expect(taut_solve(it->problem, &options, NULL, &x, it->lambda, &u, NULL, &error),
           TAUT_BAD_VALUE, &error,
           "options: expected a struct from its init function, found one of size 0");
    assert_null(taut_problem_tv_filter(it->h, (size_t) -1, 10, 0, &error));
    assert_null(taut_problem_tv_filter(it->h, it->n_h, 3, 1, &error));
    assert_null(taut_problem_matrix(5, it->x, 2, 2, &error));
    size_t n = 0;
    expect(taut_hrf("spmm", 1.0, NULL, &n, &error), TAUT_BAD_NAME, &error, error.message);
    assert_non_null(strstr(error.message, "spm"));
    assert_int_equal(taut_solve(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), TAUT_BAD_VALUE);
}

static void what_there_is_has_names(void **state)
{
    (void) state;
    const char *const lists[] = {"tv-methods", "lasso-methods", "hrf", "networks", "rules"};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        size_t n = 0;
        while (taut_names(lists[i], n) != NULL)
            n++;
        assert_true(n >= 5);
    }
    assert_null(taut_names("colours", 0));
    assert_string_equal(taut_names("rules", 0), "aic");
    assert_int_equal(taut_api_version() >> 16, TAUT_API_MAJOR);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(every_series_is_certified),
        WITH_FIXTURE(threads_do_not_change_a_byte),
        WITH_FIXTURE(any_layout_gives_the_same),
        WITH_FIXTURE(float32_goes_in_and_out),
        WITH_FIXTURE(a_series_that_is_not_finite_says_so),
        WITH_FIXTURE(the_host_stops_a_call),
        WITH_FIXTURE(the_path_meets_the_solutions),
        WITH_FIXTURE(rules_choose_lambda),
        WITH_FIXTURE(the_derivative_is_that_of_the_solution),
        WITH_FIXTURE(the_prox_has_its_derivative),
        WITH_FIXTURE(networks_have_derivatives),
        WITH_FIXTURE(a_trained_network_is_better_and_keeps_its_bytes),
        WITH_FIXTURE(cleaning_centres_and_scales),
        WITH_FIXTURE(bad_arguments_are_refused_by_name),
        cmocka_unit_test(sources_of_an_identity_shrink),
        cmocka_unit_test(a_whitener_whitens_what_projections_leave),
        cmocka_unit_test(a_gain_is_whitened_weighted_and_turned),
        cmocka_unit_test(what_there_is_has_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
