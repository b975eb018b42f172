# SPDX-License-Identifier: BSD-3-Clause
# Deconvolves raw float64 series of a file, as examples/c/arrays.c does:
#     Rscript taut.R N_TIME X.f64 U.f64
# after taut.c was compiled as it says.
dyn.load(paste0("taut", .Platform$dynlib.ext))

hrf <- function(model = "spm", tr_s = 2) .Call("taut_hrf_r", model, as.double(tr_s))

# x: a matrix, a column a series; ratio: the fraction of its lambda_max.
deconvolve <- function(x, h = hrf(), ratio = 0.1) {
  stopifnot(is.matrix(x), is.double(x), is.double(h))
  .Call("taut_deconvolve_r", x, h, as.double(ratio))
}

arguments <- commandArgs(trailingOnly = TRUE)
n_time <- as.integer(arguments[1])
x <- matrix(readBin(arguments[2], "double", file.size(arguments[2]) / 8), nrow = n_time)
found <- deconvolve(x)
writeBin(as.vector(found$u), arguments[3])
cat(sprintf("%d series, largest gap %.0e\n", ncol(x), max(found$gap)))
