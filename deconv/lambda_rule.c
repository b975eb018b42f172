// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/lambda_rule.h"

#include "deconv/hrf.h"
#include "deconv/noise.h"
#include "solvers/homotopy.h"
#include "solvers/median.h"
#include "solvers/segment_path.h"

#include <math.h>
#include <string.h>

static const double least_mad_ratio = 1e-6;
static const double least_criterion_ratio = 0.01;

struct lambda_rule {
    enum lambda_kind kind;
    double value;
    const struct problem *problem; // borrowed
    // owned; for the rules that follow the path, one of them
    struct segment_active_set *segments;
    struct lasso_form *form;
};

const char *const lambda_kind_names[] = {"aic", "bic",   "fixed", "lut", "mad",
                                         "map", "ratio", "ut",    NULL};

bool lambda_kind_uses_noise(enum lambda_kind kind)
{
    return kind == LAMBDA_LUT || kind == LAMBDA_MAD || kind == LAMBDA_UT;
}

static bool follows_path(enum lambda_kind kind)
{
    return kind == LAMBDA_AIC || kind == LAMBDA_BIC || kind == LAMBDA_MAD;
}

static bool check(const struct problem *problem, enum lambda_kind kind, double value,
                  GError **error)
{
    const char *name = lambda_kind_names[kind];
    bool needs_value = kind == LAMBDA_FIXED || kind == LAMBDA_RATIO;
    if (needs_value && !(value > 0.0 && isfinite(value)))
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "lambda: rule %s: expected a value above 0, got %g", name, value);
    else if (lambda_kind_uses_noise(kind) && problem->op->n_out < NOISE_MIN_SAMPLES)
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_DATA,
                    "lambda: rule %s: expected at least %d frames for the noise level, got %zu",
                    name, NOISE_MIN_SAMPLES, problem->op->n_out);
    else if (follows_path(kind) && !segment_path_applies(problem->op) &&
             lasso_form_size(problem) > LASSO_FORM_MOST_GRAM_COLUMNS)
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "lambda: rule %s: expected at most %d frames, got %zu", name,
                    LASSO_FORM_MOST_GRAM_COLUMNS, problem->op->n_in);
    else
        return true;
    return false;
}

struct lambda_rule *lambda_rule_new(const struct problem *problem, enum lambda_kind kind,
                                    double value, GError **error)
{
    g_assert(kind < LAMBDA_N_KINDS && (problem->kind == PROBLEM_TV || !follows_path(kind)));
    if (!check(problem, kind, value, error))
        return NULL;
    struct lambda_rule *rule = g_new0(struct lambda_rule, 1);
    *rule = (struct lambda_rule){.kind = kind, .value = value, .problem = problem};
    if (follows_path(kind) && segment_path_applies(problem->op))
        rule->segments =
            segment_active_set_new(problem->op->filter, problem->op->n_in, kernels_best());
    else if (follows_path(kind))
        rule->form = lasso_form_new(problem, true);
    return rule;
}

void lambda_rule_free(struct lambda_rule *rule)
{
    if (rule == NULL)
        return;
    segment_active_set_free(rule->segments);
    lasso_form_free(rule->form);
    g_free(rule);
}

/* Walks down the path, from bend to bend. */

struct walk {
    const struct lambda_rule *rule; // borrowed
    double n_time;
    double target; // mad: of RSS
    double lambda; // chosen so far
    // mad: the bend before
    double last_lambda, last_rss;
    // aic, bic: the first RSS and the least criterion so far
    double first_rss, least;
};

// Between two bends u is linear in lambda, RSS changes by -2 lambda times what the penalty does,
// and so RSS is linear in lambda^2.
static double find_residual(const struct walk *walk, const struct path_point *point)
{
    double from = walk->last_lambda, to = point->lambda;
    double fraction =
        (walk->target - point->residual_norm2) / (walk->last_rss - point->residual_norm2);
    return sqrt(to * to + fraction * (from * from - to * to));
}

static bool match_residual(void *data, const struct path_point *point)
{
    struct walk *walk = data;
    bool is_first = walk->last_lambda == 0.0;
    if (point->residual_norm2 <= walk->target) {
        walk->lambda = is_first ? point->lambda : find_residual(walk, point);
        return false;
    }
    walk->lambda = walk->last_lambda = point->lambda;
    walk->last_rss = point->residual_norm2;
    return true;
}

// RSS falls from bend to bend and k does not change between them: a criterion is least at a bend.
static bool compare_criteria(void *data, const struct path_point *point)
{
    struct walk *walk = data;
    double rss = point->residual_norm2, k = (double) (point->n_jumps + 1);
    walk->first_rss = fmax(walk->first_rss, rss);
    if (!(rss > 1e-12 * walk->first_rss))
        return false; // all explained: a logarithm would be of rounding
    double price = walk->rule->kind == LAMBDA_AIC ? 2.0 : log(walk->n_time);
    double criterion = walk->n_time * log(rss / walk->n_time) + k * price;
    if (criterion < walk->least) {
        walk->least = criterion;
        walk->lambda = point->lambda;
    }
    return true;
}

static double choose_on_path(const struct lambda_rule *rule, const double *x,
                             const struct lambda_choice *choice, struct workspace *ws)
{
    double n_time = (double) rule->problem->op->n_out;
    struct walk walk = {.rule = rule,
                        .n_time = n_time,
                        .target = n_time * choice->sigma * choice->sigma,
                        .lambda = choice->lambda_max,
                        .least = INFINITY};
    bool is_mad = rule->kind == LAMBDA_MAD;
    double ratio = is_mad ? least_mad_ratio : least_criterion_ratio;
    homotopy_visit *visit = is_mad ? match_residual : compare_criteria;
    double end = ratio * choice->lambda_max, found = NAN;
    if (rule->segments == NULL)
        homotopy_path(rule->form, x, end, visit, &walk, ws);
    else if (is_mad)
        found = segment_path_find_residual(rule->segments, x, walk.target, end, ws);
    if (!isnan(found))
        return found;
    if (rule->segments != NULL)
        segment_path_follow(rule->segments, x, end, visit, &walk, ws);
    return walk.lambda;
}

/* One series */

static double universal_threshold(double sigma, size_t n_time)
{
    return sigma * sqrt(2.0 * log((double) n_time));
}

// Lower universal threshold, of asymptotically the same risk.
static double lower_universal_threshold(double sigma, size_t n_time)
{
    double log_n = log((double) n_time);
    return sigma * sqrt(2.0 * log_n - log(1.0 + 4.0 * log_n));
}

static bool is_finite_series(const double *x, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += x[t] - x[t];
    return sum == 0.0;
}

static double choose(const struct lambda_rule *rule, const double *x, double given,
                     const struct lambda_choice *choice, struct workspace *ws)
{
    switch (rule->kind) {
    case LAMBDA_FIXED:
        return rule->value;
    case LAMBDA_LUT:
        return lower_universal_threshold(choice->sigma, rule->problem->op->n_out);
    case LAMBDA_MAP:
        return given;
    case LAMBDA_RATIO:
        return rule->value * choice->lambda_max;
    case LAMBDA_UT:
        return universal_threshold(choice->sigma, rule->problem->op->n_out);
    default:
        return choice->lambda_max > 0.0 ? choose_on_path(rule, x, choice, ws) : 0.0;
    }
}

static void set_lambda(struct lambda_choice *choice, double lambda)
{
    choice->lambda = lambda;
    choice->ratio = choice->lambda_max > 0.0 ? lambda / choice->lambda_max : 0.0;
}

void lambda_rule_apply(const struct lambda_rule *rule, const struct block *x, const double *given,
                       struct lambda_choice *choices, struct workspace *ws)
{
    g_assert(x->n_time == rule->problem->op->n_out);
    g_assert((given != NULL) == (rule->kind == LAMBDA_MAP));
    for (size_t v = 0; v < x->n_series; v++) {
        const double *series = block_series(x, v);
        struct lambda_choice *choice = &choices[v];
        *choice = (struct lambda_choice){.sigma = NAN};
        if (!is_finite_series(series, x->n_time))
            continue;
        choice->lambda_max = problem_lambda_max(rule->problem, series, ws);
        if (lambda_kind_uses_noise(rule->kind))
            choice->sigma = noise_sigma(series, x->n_time, ws);
        set_lambda(choice, choose(rule, series, given == NULL ? 0.0 : given[v], choice, ws));
    }
}

static double median_lambda(const struct lambda_choice *choices, size_t n)
{
    g_autofree double *lambdas = g_new(double, n);
    size_t n_varying = 0;
    for (size_t v = 0; v < n; v++)
        if (choices[v].lambda_max > 0.0)
            lambdas[n_varying++] = choices[v].lambda;
    return n_varying == 0 ? 0.0 : median(lambdas, n_varying);
}

double lambda_rule_share(const struct lambda_rule *rule, struct lambda_choice *choices, size_t n)
{
    double largest = 0.0;
    for (size_t v = 0; v < n; v++)
        largest = fmax(largest, choices[v].lambda_max);
    double lambda = rule->kind == LAMBDA_RATIO ? rule->value * largest : median_lambda(choices, n);
    for (size_t v = 0; v < n; v++)
        set_lambda(&choices[v], lambda);
    return lambda;
}
