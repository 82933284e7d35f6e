-- Which messages a text is made of.
SELECT * EXCEPT (bodies)
FROM {{rows}}
