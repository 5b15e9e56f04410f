-- wrk: asks for the paths of a file (one a line, after "--") in random order, and ends with one line of figures.
local requests = {}

function init(arguments)
  for path in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
  math.randomseed(os.time())
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  print(string.format("figures %d %d %.1f", summary.requests, failed, latency:percentile(99)))
end
