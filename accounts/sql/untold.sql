-- What the cache must be told: how people stand, and which sessions and API keys are still good. The
-- triggers see every change, by whomever; accounts/known.py tells the cache and empties the table.
CREATE FUNCTION accounts_note_untold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.accounts_untold (place) VALUES (TG_ARGV[0] || ':' || (to_jsonb(NEW) ->> TG_ARGV[1]));
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION accounts_note_untold() FROM PUBLIC;

CREATE TRIGGER note_untold AFTER UPDATE ON accounts_user
FOR EACH ROW WHEN (
    (OLD.password, OLD.is_active, OLD.role, OLD.is_superuser, OLD.full_name, OLD.email)
    IS DISTINCT FROM
    (NEW.password, NEW.is_active, NEW.role, NEW.is_superuser, NEW.full_name, NEW.email)
) EXECUTE FUNCTION accounts_note_untold('person', 'id');

CREATE TRIGGER note_untold AFTER UPDATE ON accounts_session
FOR EACH ROW WHEN (OLD.ended_at IS DISTINCT FROM NEW.ended_at)
EXECUTE FUNCTION accounts_note_untold('session', 'id');

CREATE TRIGGER note_untold AFTER UPDATE ON accounts_apikey
FOR EACH ROW WHEN (
    (OLD.revoked_at, OLD.expires_at, OLD.scopes, OLD.largest_transfer)
    IS DISTINCT FROM (NEW.revoked_at, NEW.expires_at, NEW.scopes, NEW.largest_transfer)
) EXECUTE FUNCTION accounts_note_untold('key', 'prefix');

-- The history of log-ins is for reading and adding to.
REVOKE UPDATE, DELETE, TRUNCATE ON accounts_login FROM bank_app;
