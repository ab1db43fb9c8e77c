import { useEffect, useState } from 'react'

/** The time now, again every `ms`; for countdowns that tick as text. */
export function useNow(ms = 1000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms)
    return () => clearInterval(timer)
  }, [ms])
  return now
}

/** `02:14`, `1:02:14`; never negative. */
export function clock(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000))
  const seconds = String(total % 60).padStart(2, '0')
  const minutes = Math.floor(total / 60) % 60
  const hours = Math.floor(total / 3600)
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`
    : `${String(minutes).padStart(2, '0')}:${seconds}`
}

/** `41m`, `3h`, `50s`: for places with little room. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  return seconds < 5400 ? `${Math.floor(seconds / 60)}m` : `${Math.round(seconds / 3600)}h`
}

/** `4 min 46 s`, for how long something waited. */
export function longDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `3 ms`, `0.4 ms`, `1.25 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return ms >= 10 || Number.isInteger(ms) ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

/** `14:56:02`, in the time of this computer. */
export function timeOfDay(iso: string | number): string {
  return new Date(iso).toLocaleTimeString('en-GB')
}

/** `14:56`. */
export function hourMinute(iso: string | number): string {
  return new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

/** `14:56` today, `14 Oct` before. */
export function when(iso: string, now = Date.now()): string {
  const date = new Date(iso)
  const sameDay = date.toDateString() === new Date(now).toDateString()
  return sameDay ? hourMinute(iso) : date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
}

/** `14 Oct 09:12`. */
export function dayAndTime(iso: string): string {
  const day = new Date(iso).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
  return `${day} ${hourMinute(iso)}`
}
