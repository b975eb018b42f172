// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/** The routines of LAPACK that are used, by their Fortran names; OpenBLAS has them all. */

/**
 * The least squares solution of least norm of A x = b, of effective rank by rcond; b has max(m, n)
 * rows, and x in its first n on output; jpvt: 0 on input for a column that may move.
 */
void dgelsy_(const int *m, const int *n, const int *nrhs, double *a, const int *lda, double *b,
             const int *ldb, int *jpvt, const double *rcond, int *rank, double *work,
             const int *lwork, int *info);

/** QR with column pivoting, A P = Q R; jpvt: 0 on input for a column that may move. */
void dgeqp3_(const int *m, const int *n, double *a, const int *lda, int *jpvt, double *tau,
             double *work, const int *lwork, int *info);

/** Singular value decomposition A = U diag(s) V' by divide and conquer. */
void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info);

/** The first n columns of Q, from the k reflectors that dgeqp3 left in a. */
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau,
             double *work, const int *lwork, int *info);

/** Eigenvalues (ascending) and eigenvectors of a symmetric matrix, by divide and conquer. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

/** The inverse of a matrix, in place, from its factor by dpotrf. */
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);

/** Cholesky factor of a symmetric positive matrix, in place; info > 0: it is not positive. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
