-- User IDs: the branch where a person joined (3 digits), a serial (7), and a check digit. Made here, so
-- that everybody has one, whichever way they were added. accounts/numbers.py reads them.

CREATE SEQUENCE public.accounts_user_serial MAXVALUE 9999999;

-- name: accounts_user_id_v1
-- The user ID of a serial at a branch; the check digit is by ISO 7064 MOD 11,10.
CREATE FUNCTION public.accounts_user_id_v1(p_branch integer, p_serial bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_digits text := p_branch::text || lpad(p_serial::text, 7, '0');
    v_check integer := 10;
    v_digit text;
BEGIN
    IF p_branch NOT BETWEEN 100 AND 999 OR p_serial NOT BETWEEN 1 AND 9999999 THEN
        RAISE EXCEPTION 'no user ID for branch %, serial %', p_branch, p_serial;
    END IF;
    FOREACH v_digit IN ARRAY string_to_array(v_digits, NULL) LOOP
        v_check := (v_check + v_digit::integer) % 10;
        v_check := (CASE v_check WHEN 0 THEN 10 ELSE v_check END * 2) % 11;
    END LOOP;
    RETURN (v_digits || ((11 - v_check) % 10)::text)::bigint;
END
$$;

-- name: accounts_give_user_id_v1
-- Give a new person a user ID. Without a branch they join at the head office, which is branch 100.
CREATE FUNCTION public.accounts_give_user_id_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    new.number := public.accounts_user_id_v1(
        coalesce((SELECT b.number FROM public.accounts_branch AS b WHERE b.id = new.branch_id), 100),
        nextval('public.accounts_user_serial'));
    RETURN new;
END
$$;

CREATE TRIGGER give_user_id BEFORE INSERT ON public.accounts_user
FOR EACH ROW EXECUTE FUNCTION public.accounts_give_user_id_v1();

-- Those who are here already joined at the head office. Their serial is their key, so that the replica
-- makes of its copy what the head office makes here.
UPDATE public.accounts_user SET number = public.accounts_user_id_v1(100, id);
SELECT setval(
    'public.accounts_user_serial', greatest(max(id), 1), count(*) > 0
) FROM public.accounts_user;

-- Who was not let in before stands for suspended.
UPDATE public.accounts_user SET status = 'suspended' WHERE NOT is_active;
