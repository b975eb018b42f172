// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/lambda_rule.h"

#include "deconv/hrf.h"
#include "deconv/median.h"
#include "deconv/noise.h"
#include "solvers/gram_path.h"
#include "solvers/lasso_form.h"

#include <math.h>
#include <string.h>

static const double least_mad_ratio = 1e-6;
static const double least_criterion_ratio = 0.01;

struct lambda_rule {
    enum lambda_kind kind;
    double value;
    const struct problem *problem; // borrowed
    struct lasso_form *form;       // owned; for the rules that follow the path
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
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "lambda: rule %s: expected at least %d frames for the noise level, got %zu",
                    name, NOISE_MIN_SAMPLES, problem->op->n_out);
    else if (follows_path(kind) && lasso_form_size(problem) > LASSO_FORM_MOST_GRAM_COLUMNS)
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
    g_assert(problem->kind == PROBLEM_TV && kind < LAMBDA_N_KINDS);
    if (!check(problem, kind, value, error))
        return NULL;
    struct lambda_rule *rule = g_new0(struct lambda_rule, 1);
    *rule = (struct lambda_rule){.kind = kind, .value = value, .problem = problem};
    if (follows_path(kind))
        rule->form = lasso_form_new(problem, true);
    return rule;
}

void lambda_rule_free(struct lambda_rule *rule)
{
    if (rule == NULL)
        return;
    lasso_form_free(rule->form);
    g_free(rule);
}

/* Walks along the path. With M, w and Pi of lasso_form.h, the c_j of the columns in use are
   lambda sign(w_j), so that RSS = ||Pi x||^2 - <b, w> - lambda ||w||_1. */

// On a piece, at lambda = from - g, RSS = rss + g (slope + g curvature).
struct parabola {
    double rss;
    double slope;
    double curvature;
};

struct walk {
    const struct lambda_rule *rule; // borrowed
    const double *b;                // borrowed
    double n_time;
    double squares; // ||Pi x||^2
    double target;  // mad: of RSS
    double least;   // aic, bic: criterion so far
    double lambda;  // chosen so far
};

static struct parabola residual_on(const struct walk *walk, const struct gram_path_piece *piece)
{
    double half = 0.5 * (piece->from - piece->to);
    double bw = 0.0, bd = 0.0, norm = 0.0, growth = 0.0;
    for (size_t i = 0; i < piece->n; i++) {
        double b = walk->b[piece->index[i]], w = piece->w[i], d = piece->direction[i];
        // At the ends of a piece a coefficient may be zero up to rounding; within, it has a sign.
        double sign = w + half * d > 0.0 ? 1.0 : -1.0;
        bw += b * w;
        bd += b * d;
        norm += sign * w;
        growth += sign * d;
    }
    return (struct parabola){.rss = walk->squares - bw - piece->from * norm,
                             .slope = norm - bd - piece->from * growth,
                             .curvature = growth};
}

static double residual_at(const struct parabola *p, double g)
{
    return p->rss + g * (p->slope + g * p->curvature);
}

// RSS falls along the path: the g in [0, width] where it meets the target.
static double find_residual(const struct parabola *p, double width, double target)
{
    double low = 0.0, high = width;
    for (size_t i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (residual_at(p, middle) > target)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static bool match_residual(void *data, const struct gram_path_piece *piece)
{
    struct walk *walk = data;
    struct parabola p = residual_on(walk, piece);
    double width = piece->from - piece->to;
    walk->lambda = piece->to;
    if (residual_at(&p, width) > walk->target)
        return true;
    walk->lambda = piece->from - find_residual(&p, width, walk->target);
    return false;
}

static void consider(struct walk *walk, double lambda, double rss, size_t n_jumps)
{
    double k = (double) (n_jumps + 1);
    double price = walk->rule->kind == LAMBDA_AIC ? 2.0 : log(walk->n_time);
    double criterion = walk->n_time * log(rss / walk->n_time) + k * price;
    if (criterion < walk->least) {
        walk->least = criterion;
        walk->lambda = lambda;
    }
}

// RSS falls along a piece and k does not change: a criterion is least at its end, or at its begin
// where a jump has just left.
static bool compare_criteria(void *data, const struct gram_path_piece *piece)
{
    struct walk *walk = data;
    struct parabola p = residual_on(walk, piece);
    double rss = residual_at(&p, piece->from - piece->to);
    if (!(rss > 1e-12 * walk->squares))
        return false; // all explained; a logarithm would be of rounding
    consider(walk, piece->from, p.rss, piece->n);
    consider(walk, piece->to, rss, piece->n);
    return true;
}

static double squares_left(const struct problem *problem, const double *x)
{
    double level = problem_trivial_level(problem, x), sum = 0.0;
    for (size_t t = 0; t < problem->op->n_out; t++) {
        double r = problem->level == NULL ? x[t] : x[t] - level * problem->level[t];
        sum += r * r;
    }
    return sum;
}

static double choose_on_path(const struct lambda_rule *rule, const struct block *x,
                             const struct lambda_choice *choice, struct workspace *ws)
{
    if (rule->form->gram == NULL)
        return choice->lambda_max;
    size_t mark = workspace_mark(ws);
    size_t ld = rule->form->gram->ld;
    struct block b = block_of_series(WORKSPACE_ALLOC(ws, double, ld), ld);
    lasso_form_correlations(rule->form, x, &b, ws);
    double n_time = (double) rule->problem->op->n_out;
    struct walk walk = {.rule = rule,
                        .b = b.data,
                        .n_time = n_time,
                        .squares = squares_left(rule->problem, x->data),
                        .target = n_time * choice->sigma * choice->sigma,
                        .least = INFINITY,
                        .lambda = choice->lambda_max};
    bool is_mad = rule->kind == LAMBDA_MAD;
    if (!is_mad)
        consider(&walk, choice->lambda_max, walk.squares, 0);
    if (!is_mad || walk.squares > walk.target)
        gram_path_follow(rule->form->gram, b.data,
                         choice->lambda_max * (is_mad ? least_mad_ratio : least_criterion_ratio),
                         is_mad ? match_residual : compare_criteria, &walk, ws);
    workspace_release(ws, mark);
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

static double choose(const struct lambda_rule *rule, const struct block *x, double given,
                     const struct lambda_choice *choice, struct workspace *ws)
{
    switch (rule->kind) {
    case LAMBDA_FIXED:
        return rule->value;
    case LAMBDA_LUT:
        return lower_universal_threshold(choice->sigma, x->n_time);
    case LAMBDA_MAP:
        return given;
    case LAMBDA_RATIO:
        return rule->value * choice->lambda_max;
    case LAMBDA_UT:
        return universal_threshold(choice->sigma, x->n_time);
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
        struct block one = block_slice(x, v, 1);
        set_lambda(choice, choose(rule, &one, given == NULL ? 0.0 : given[v], choice, ws));
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
