"""The protocols between rooms: what a room needs, whoever provides it."""
