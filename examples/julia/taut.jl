# SPDX-License-Identifier: BSD-3-Clause
# Taut for Julia: a matrix whose columns are series goes in and out without a copy.
const libtaut = get(ENV, "TAUT_LIBRARY", "libtaut.so.0")

struct TautArray
    data::Ptr{Float64}
    n_series::Csize_t
    n_samples::Csize_t
    series_stride::Cptrdiff_t
    sample_stride::Cptrdiff_t
    type::Int32
    reserved::Int32
end
TautArray(x::Matrix{Float64}) = TautArray(pointer(x), size(x, 2), size(x, 1), size(x, 1), 1, 0, 0)

struct TautResult
    status::Int32
    reserved::Int32
    lambda::Float64
    lambda_max::Float64
    objective::Float64
    duality_gap::Float64
    relative_gap::Float64
    n_jumps::UInt64
    iterations::UInt64
end

mutable struct TautOptions
    size::UInt32
    safeguard::Int32
    method::Cstring
    rule::Cstring
    tol::Float64
    max_iter::UInt64
    layers::UInt64
    certify::Float64
    TautOptions() = new()
end

mutable struct TautError
    code::Int32
    message::NTuple{508,UInt8}
    TautError() = new()
end
function check(code, error::TautError)
    code == 0 && return
    bytes = collect(error.message)
    throw(ArgumentError(String(bytes[1:findfirst(==(0x00), bytes)-1])))
end

function hrf(model::String, tr_s::Real)
    n, error = Ref{Csize_t}(0), TautError()
    check(ccall((:taut_hrf, libtaut), Cint, (Cstring, Cdouble, Ptr{Cdouble}, Ref{Csize_t}, Ref{TautError}),
                model, tr_s, C_NULL, n, error), error)
    h = Vector{Float64}(undef, n[])
    check(ccall((:taut_hrf, libtaut), Cint, (Cstring, Cdouble, Ptr{Cdouble}, Ref{Csize_t}, Ref{TautError}),
                model, tr_s, h, n, error), error)
    return h
end

"""u of each column of x, and what is known of it; ratio: the fraction of its lambda_max."""
function deconvolve(x::Matrix{Float64}, h::Vector{Float64}, ratio::Float64=0.1)
    u, results = similar(x), Vector{TautResult}(undef, size(x, 2))
    lambda, error, options, rule = fill(ratio, size(x, 2)), TautError(), TautOptions(), "ratio"
    problem = ccall((:taut_problem_tv_filter, libtaut), Ptr{Cvoid},
                    (Ptr{Cdouble}, Csize_t, Csize_t, Cint, Ref{TautError}), h, length(h), size(x, 1), 0, error)
    problem == C_NULL && check(error.code, error)
    try
        ccall((:taut_options_init, libtaut), Cvoid, (Ref{TautOptions},), options)
        GC.@preserve x u rule begin
            options.rule = Base.unsafe_convert(Cstring, rule)
            check(ccall((:taut_solve, libtaut), Cint,
                        (Ptr{Cvoid}, Ref{TautOptions}, Ptr{Cvoid}, Ref{TautArray}, Ptr{Cdouble}, Ref{TautArray},
                         Ptr{TautResult}, Ref{TautError}),
                        problem, options, C_NULL, TautArray(x), lambda, TautArray(u), results, error), error)
        end
    finally
        ccall((:taut_problem_free, libtaut), Cvoid, (Ptr{Cvoid},), problem)
    end
    return u, results
end
