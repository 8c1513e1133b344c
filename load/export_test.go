package load

import "time"

// Stood is for how long a process stood still by looks that were late by so much,
// of which some were told that it goes on.
func Stood(late []time.Duration, resumed []int64) (sum time.Duration) {
	at := time.Unix(0, 0)
	s := stillness{at: at}
	for i := range late {
		at = at.Add(sampleEvery + late[i])
		sum += s.next(at, 0, resumed[i])
	}
	return sum
}
