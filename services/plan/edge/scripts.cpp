#include "scripts.hpp"

namespace semel::plan {

// Values are 4, 5 or 8 bytes: the row, then segments in no, one or four bytes. HSETNX first: nearly every address is
// new.
const redis::script& register_entries() {
    static const redis::script script{R"lua(
if redis.call('HGET', KEYS[1], 'marker') ~= ARGV[1] then
  return redis.error_reply('STALE the head of this register has another marker')
end
local prefix, width, batch = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local sub, unpack_number, pack_number = string.sub, struct.unpack, struct.pack
local function packed(row, segments)
  if segments == 0 then return pack_number('>I4', row) end
  if segments < 256 then return pack_number('>I4I1', row, segments) end
  return pack_number('>I4I4', row, segments)
end
local function unpacked(value)
  if #value == 4 then return unpack_number('>I4', value), 0 end
  return unpack_number(#value == 5 and '>I4I1' or '>I4I4', value)
end
for at = 1, #batch, 14 + width do
  local key = prefix .. sub(batch, at, at + 5)
  local field = sub(batch, at + 6, at + 5 + width)
  local row, segments = unpack_number('>I4I4', batch, at + 6 + width)
  if redis.call('HSETNX', key, field, packed(row, segments)) == 0 then
    local known_row, known_segments = unpacked(redis.call('HGET', key, field))
    local least = row < known_row and row or known_row
    local all = bit.bor(segments, known_segments) % 4294967296
    if least ~= known_row or all ~= known_segments then
      redis.call('HSET', key, field, packed(least, all))
    end
  end
end
return redis.status_reply('OK')
)lua"};
    return script;
}

const redis::script& look_up_entries() {
    static const redis::script script{R"lua(
local names = {'marker'}
for i = 5, #ARGV, 2 do names[#names + 1] = ARGV[i] end
local head = redis.call('HMGET', KEYS[1], unpack(names))
if head[1] ~= ARGV[1] then
  return redis.error_reply('STALE the head of this register has another marker')
end
for i = 2, #names do
  if head[i] ~= ARGV[2 + 2 * i] then
    return redis.error_reply('INCOMPLETE span ' .. names[i] .. ' is not registered yet')
  end
end
local prefix, width, batch = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local sub = string.sub
local answers = {}
for at = 1, #batch, 6 + width do
  local value = redis.call('HGET', prefix .. sub(batch, at, at + 5), sub(batch, at + 6, at + 5 + width))
  if not value then
    value = '\0\0\0\0\0\0\0\0'
  elseif #value == 4 then
    value = value .. '\0\0\0\0'
  elseif #value == 5 then
    value = sub(value, 1, 4) .. '\0\0\0' .. sub(value, 5)
  end
  answers[#answers + 1] = value
end
return table.concat(answers)
)lua"};
    return script;
}

const redis::script& mark_finished() {
    static const redis::script script{R"lua(
if redis.call('HGET', KEYS[1], 'marker') ~= ARGV[1] then
  return redis.error_reply('STALE the head of this register has another marker')
end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return redis.status_reply('OK')
)lua"};
    return script;
}

const redis::script& raise_head() {
    static const redis::script script{R"lua(
local marker = redis.call('HGET', KEYS[1], 'marker') or ''
if marker ~= ARGV[1] then return marker end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'marker', ARGV[2], 'server', ARGV[3])
return ARGV[2]
)lua"};
    return script;
}

// The keys are named here and not sent: there may be millions, and they share the head's slot.
const redis::script& remove_buckets() {
    static const redis::script script{R"lua(
if redis.call('HGET', KEYS[1], 'marker') ~= ARGV[1] then
  return redis.error_reply('STALE the head of this register has another marker')
end
local keys, first = {}, tonumber(ARGV[3])
for bucket = first, first + tonumber(ARGV[4]) - 1 do
  keys[#keys + 1] = ARGV[2] .. string.format('%06x', bucket)
end
redis.call('UNLINK', unpack(keys))
return redis.status_reply('OK')
)lua"};
    return script;
}

const redis::script& remove_head() {
    static const redis::script script{R"lua(
if redis.call('HGET', KEYS[1], 'marker') ~= ARGV[1] then
  return redis.error_reply('STALE the head of this register has another marker')
end
redis.call('UNLINK', KEYS[1])
return redis.status_reply('OK')
)lua"};
    return script;
}

} // namespace semel::plan
