"""Reads what Semel keeps in Redis, through redis-cli."""
import json
import subprocess

from .stack import Failed

# All in one script, so that nothing moves meanwhile. Binary fields travel as hex.
COUNT_REGISTER = """
local entries, head, seen = 0, 0, {}
local cursor = '0'
repeat
  local answer = redis.call('SCAN', cursor, 'MATCH', ARGV[1] .. '*', 'COUNT', 1000)
  cursor = answer[1]
  for _, key in ipairs(answer[2]) do
    if key == ARGV[1] .. 'head' then head = redis.call('HLEN', key)
    elseif not seen[key] then entries = entries + redis.call('HLEN', key) end
    seen[key] = true -- SCAN may name a key twice
  end
until cursor == '0'
return entries .. ' ' .. head
"""
CLAIMS = """
local function hex(s) return (s:gsub('.', function(c) return string.format('%02x', string.byte(c)) end)) end
local out, seen = {}, {}
local cursor = '0'
repeat
  local answer = redis.call('SCAN', cursor, 'MATCH', '{d:*', 'COUNT', 1000)
  cursor = answer[1]
  for _, key in ipairs(answer[2]) do
    if seen[key] then -- SCAN may name a key twice
    elseif key:sub(-5) == ':head' then
      local h = redis.call('HMGET', key, 'owner', 'marker', 'run_id', 'replid')
      out[#out + 1] = cjson.encode({key = key, owner = h[1], marker = hex(h[2] or ''), server = {h[3], h[4]}})
    else
      local all = redis.call('HGETALL', key)
      for i = 1, #all, 2 do
        out[#out + 1] = cjson.encode({key = key, field = hex(all[i]), value = hex(all[i + 1]):sub(1, 4)})
      end
    end
    seen[key] = true
  end
until cursor == '0'
return out
"""


def ask(port, *words):
    done = subprocess.run(["redis-cli", "-p", str(port), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, timeout=60, text=True)
    return done.stdout.strip()


def setting(port, name):
    return "".join(ask(port, "CONFIG", "GET", name).splitlines()[1:])  # nothing follows the name of an empty one


def set(port, name, value):
    answer = ask(port, "CONFIG", "SET", name, value)
    if answer != "OK":
        raise Failed(f"CONFIG SET {name} {value}: {answer}")


def register(port, campaign):
    """(entries, fields of the head) of plan's register."""
    entries, head = ask(port, "EVAL", COUNT_REGISTER, "0", f"{{plan:{campaign}}}:").split()
    return int(entries), int(head)


def claims(port):
    """Heads ({"key","owner","marker","server"}) and claims ({"key","field","value"}: the value's first two bytes)."""
    out = ask(port, "EVAL", CLAIMS, "0")
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def info(port, *sections):
    return dict(line.split(":", 1) for name in sections for line in ask(port, "INFO", name).splitlines() if ":" in line)


def server(port):
    """Which life of which server answers: [run_id, master_replid]."""
    said = info(port, "server", "replication")
    return [said["run_id"], said["master_replid"]]
